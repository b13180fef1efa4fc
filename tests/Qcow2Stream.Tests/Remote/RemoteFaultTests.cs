using System.Globalization;
using Microsoft.AspNetCore.Http;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Servers that change files, answer oddly, break off or fall silent: exact bytes or an error, never a mixture.</summary>
public sealed class RemoteFaultTests : IDisposable
{
    private const int Length = 1 << 20;

    private static readonly HttpFileOptions Fast = new() { RetryDelay = TimeSpan.FromMilliseconds(1), ReadAheadBytes = 0 };

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly byte[] _content = GuestDisk.Noise(Length, seed: 3);

    public RemoteFaultTests()
    {
        _server = new WebServer(_directory.Path);
        File.SetLastWriteTimeUtc(_directory.Write("disk.raw", _content), DateTime.UtcNow.AddMinutes(-2));
    }

    public static TheoryData<bool> Ways => [false, true];

    private Uri Address => _server.AddressOf("disk.raw");

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task FileThatChanges_IsAnErrorAndNoMixture(bool tag, bool date)
    {
        (_server.GivesTag, _server.GivesDate) = (tag, date);
        using Qcow2Chain chain = Open();
        Replace(Length);
        foreach (bool async in new[] { false, true })
        {
            Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => Read(chain, Length / 2, async));
            Assert.Contains("the file changed on its server", error.Message, StringComparison.Ordinal);
        }

        // What was read before is of the version that was opened.
        Assert.Equal(_content[..512], chain.ReadRange(0, 512));
    }

    [Theory]
    [InlineData(Length / 2)]
    [InlineData(Length * 2)]
    public void FileOfAnotherLength_IsAnError(int length)
    {
        _server.GivesTag = false;
        _server.GivesDate = false;
        using Qcow2Chain chain = Open(Fast with { AllowUnversioned = true });
        Replace(length);
        Assert.Throws<Qcow2Exception>(() => chain.ReadRange((Length * 3) / 4, 512));
    }

    [Fact]
    public void ServerThatKnowsNoConditions_IsFoundOutByItsAnswers()
    {
        using Qcow2Chain chain = Open();
        _server.Before = context =>
        {
            context.Request.Headers.IfRange = default;
            return Task.FromResult(false);
        };
        Assert.Equal(_content[Length / 2], chain.ReadRange(Length / 2, 1)[0]);
        Replace(Length);
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => chain.ReadRange(Length - 512, 512));
        Assert.Contains("the file changed on its server", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task ServerWithoutRanges_IsRefusedWithoutADownload(bool async)
    {
        TaskCompletionSource givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Before = async context =>
        {
            // All of a file that has no end for as long as anybody listens.
            context.Response.ContentLength = long.MaxValue;
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(_content);
            }

            givenUp.SetResult();
            return true;
        };
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => OpenAsync(async));
        Assert.Contains("does not serve ranges", error.Message, StringComparison.Ordinal);
        Assert.Equal(Address.ToString(), error.ImagePath);
        await givenUp.Task;
    }

    [Fact]
    public void ServerThatIgnoresRanges_IsRefused()
    {
        _server.ServesRanges = false;
        Assert.Contains("does not serve ranges", Assert.Throws<Qcow2Exception>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task MissingFile_IsAsAMissingFileOnDisk(bool async)
    {
        File.Delete(_directory.File("disk.raw"));
        var error = await Assert.ThrowsAsync<FileNotFoundException>(() => OpenAsync(async));
        Assert.Contains(Address.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task DeniedFile_IsAsADeniedFileOnDisk(int status)
    {
        Answer(status);
        Assert.Throws<UnauthorizedAccessException>(() => Open());
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => OpenAsync(async: true));
    }

    [Fact]
    public void FileThatGoesAway_IsAnError()
    {
        using Qcow2Chain chain = Open();
        File.Delete(_directory.File("disk.raw"));
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => chain.ReadRange(Length / 2, 512));
        Assert.Contains("404", error.Message, StringComparison.Ordinal);
        Assert.Equal(Length / 2, error.HostOffset);
    }

    [Fact]
    public void EmptyFile_IsAnEmptyDisk()
    {
        _directory.Write("disk.raw", []);
        using Qcow2Chain chain = Open();
        Assert.Equal(0, chain.Length);
        Assert.Empty(chain.Map());
    }

    [Theory]
    [InlineData(500, false)]
    [InlineData(503, true)]
    [InlineData(429, false)]
    [InlineData(504, true)]
    public async Task FailureThatPasses_IsNotNoticed(int status, bool async)
    {
        int failures = 3;
        _server.Before = context => Answer(context, Interlocked.Decrement(ref failures) >= 0 ? status : null);
        using Qcow2Chain chain = await OpenAsync(async);
        failures = 2;
        Assert.Equal(_content[(Length / 2)..], await Read(chain, Length / 2, async));
        Assert.Equal(4 + 3, _server.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task FailureThatStays_IsAnErrorThatIsNotRemembered(bool async)
    {
        using Qcow2Chain chain = Open(Fast with { MaxRetries = 2 });
        Answer(503);
        _server.Forget();
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => Read(chain, Length / 2, async));
        Assert.Contains("503", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, _server.Requests.Count);
        _server.Before = _ => Task.FromResult(false);
        Assert.Equal(_content, chain.ReadWholeDisk());
    }

    [Fact]
    public void NoRetries_AskOnce()
    {
        using Qcow2Chain chain = Open(Fast with { MaxRetries = 0 });
        Answer(503);
        _server.Forget();
        Assert.Throws<Qcow2Exception>(() => chain.ReadRange(Length / 2, 512));
        Assert.Single(_server.Requests);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task BrokenConnection_GoesOnWhereItBroke(bool async)
    {
        using Qcow2Chain chain = Open();
        int cuts = 2;
        _server.Before = async context =>
        {
            if (Interlocked.Decrement(ref cuts) < 0)
            {
                return false;
            }

            await SendPart(context, 200_000);
            context.Abort();
            return true;
        };
        _server.Forget();
        Assert.Equal(_content[(Length / 2)..], await Read(chain, Length / 2, async));
        ServedRequest[] requests = [.. _server.Requests];
        Assert.Equal(3, requests.Length);
        Assert.All(requests, r => Assert.Equal(Length, r.From + r.Length));
        Assert.True(requests[1].From > requests[0].From && requests[2].From > requests[1].From, "each continues after the one before");
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task SilentServer_IsGivenUp(bool async)
    {
        using Qcow2Chain chain = Open(Fast with { IdleTimeout = TimeSpan.FromMilliseconds(200), MaxRetries = 1 });
        _server.Before = Silence;
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => Read(chain, Length / 2, async));
        Assert.Contains("sent nothing for 0.2 seconds", error.Message, StringComparison.Ordinal);
        _server.Before = async context =>
        {
            // Silent in the middle of an answer, where a synchronous read takes no token.
            await SendPart(context, 1000);
            return await Silence(context);
        };
        error = await Assert.ThrowsAsync<Qcow2Exception>(() => Read(chain, Length / 2, async));
        Assert.Contains("sent nothing for 0.2 seconds", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Dispose_EndsReadsOfASilentServer(bool async, bool inAnswer)
    {
        Qcow2Chain chain = Open();
        TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Before = async context =>
        {
            if (inAnswer)
            {
                await SendPart(context, 1000);
            }

            arrived.TrySetResult();
            return await Silence(context);
        };
        Task<byte[]> read = Task.Run(() => Read(chain, Length / 2, async));
        await arrived.Task;
        chain.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Read(chain, 0, async));
    }

    [Fact]
    public async Task CancelledReader_LeavesOthersTheirBytes()
    {
        using Qcow2Chain chain = Open();
        TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Before = async _ =>
        {
            arrived.TrySetResult();
            await goOn.Task;
            return false;
        };
        using CancellationTokenSource cancellation = new();
        Task<int> cancelled = chain.ReadAtAsync(Length / 2, new byte[512], cancellation.Token).AsTask();
        Task<byte[]> other = Read(chain, Length / 2, async: true);
        await arrived.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        goOn.SetResult();
        Assert.Equal(_content[(Length / 2)..], await other);
    }

    [Fact]
    public async Task CancelledOpening_Ends()
    {
        using CancellationTokenSource cancellation = new();
        _server.Before = async context =>
        {
            await cancellation.CancelAsync();
            return await Silence(context);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Qcow2Chain.OpenAsync(Address, new() { Http = Fast }, cancellation.Token));
    }

    [Theory]
    [InlineData("bytes 1-65536/1048576", "another range")]
    [InlineData("bytes 0-65536/1048576", "another range")]
    [InlineData("bytes 0-65535/*", "how long the file is")]
    [InlineData("items 0-65535/1048576", "another range")]
    [InlineData("nonsense", "another range")]
    [InlineData("", "another range")]
    public void WrongRange_IsRefused(string range, string reason)
    {
        _server.Headers = response => response.Headers.ContentRange = range;
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Open());
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EncodedAnswer_IsRefused()
    {
        _server.Headers = response => response.Headers.ContentEncoding = "gzip";
        Assert.Contains("another encoding", Assert.Throws<Qcow2Exception>(() => Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    [InlineData(400)]
    [InlineData(501)]
    public void OtherStatus_IsTold(int status)
    {
        Answer(status);
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Open());
        Assert.Contains(status.ToString(CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public void SecretOfTheAddress_IsInNoMessage()
    {
        Uri address = new(Address + "?signature=topsecret");
        using Qcow2Chain chain = Qcow2Chain.Open(address, new() { Http = Fast with { MaxRetries = 0 } });
        foreach (int status in new[] { 403, 404, 500, 418 })
        {
            Answer(status);
            Assert.DoesNotContain("topsecret", Assert.Throws<Qcow2Exception>(() => chain.ReadRange(Length / 2, 512)).ToString(), StringComparison.Ordinal);
            Exception? opening = Record.Exception(() => Qcow2Chain.Open(address, new() { Http = Fast with { MaxRetries = 0 } }));
            Assert.NotNull(opening);
            Assert.DoesNotContain("topsecret", opening.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void UnreachableServer_IsTold()
    {
        _server.Dispose();
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Open());
        Assert.Equal(Address.ToString(), error.ImagePath);
    }

    private static async Task<byte[]> Read(Qcow2Chain chain, int offset, bool async)
    {
        byte[] bytes = new byte[Length - offset];
        int read = async ? await chain.ReadAtAsync(offset, bytes) : chain.ReadAt(offset, bytes);
        Assert.Equal(bytes.Length, read);
        return bytes;
    }

    private static async Task<bool> Silence(HttpContext context)
    {
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
        return true;
    }

    private static Task<bool> Answer(HttpContext context, int? status)
    {
        context.Response.StatusCode = status ?? 200;
        return Task.FromResult(status is not null);
    }

    private Qcow2Chain Open(HttpFileOptions? options = null) => Qcow2Chain.Open(Address, new() { Http = options ?? Fast });

    private async Task<Qcow2Chain> OpenAsync(bool async) =>
        async ? await Qcow2Chain.OpenAsync(Address, new() { Http = Fast }) : Open();

    private void Answer(int status) => _server.Before = context => Answer(context, status);

    private void Replace(int length)
    {
        string path = _directory.File("disk.raw");
        DateTime before = File.GetLastWriteTimeUtc(path);
        File.WriteAllBytes(path, GuestDisk.Noise(length, seed: 99));
        File.SetLastWriteTimeUtc(path, before.AddMinutes(1));
    }

    /// <summary>Sends some bytes of what was asked for, and promises all.</summary>
    private Task SendPart(HttpContext context, int count) =>
        PartialAnswer.Send(context, _content, count, WebServer.TagOf(new FileInfo(_directory.File("disk.raw"))), isWhole: false);
}
