using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Servers that send, but hardly anything: the time and the answers that they get are counted.</summary>
public sealed class RemoteRateTests : IDisposable
{
    private static readonly HttpFileOptions Fast = new() { RetryDelay = TimeSpan.FromMilliseconds(1), ReadAheadBytes = 0 };

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly ManualTime _time = new();
    private readonly byte[] _content = GuestDisk.Noise(1 << 20, seed: 3);

    public RemoteRateTests()
    {
        _server = new WebServer(_directory.Path);
    }

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(1, 2, false)]
    [InlineData(1, 2, true)]
    [InlineData(1000, 1, false)]
    public async Task ServerThatDrips_IsGivenUp(int bytes, int seconds, bool async)
    {
        _server.Before = async context =>
        {
            await PartialAnswer.Send(context, _content, bytes, "\"v1\"", isWhole: false);
            for (int time = 0; time <= 30; time += seconds)
            {
                await context.Response.Body.WriteAsync(_content.AsMemory(0, bytes));
                await context.Response.Body.FlushAsync();
                _time.Advance(TimeSpan.FromSeconds(seconds));
            }

            TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
            return true;
        };
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => Open(Fast with { MaxRetries = 1 }, async));
        Assert.Contains(" 30 seconds", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, _server.Requests.Count);
    }

    // What arrives after each so many seconds, and whether the server is waited for to the end.
    [Theory]
    [InlineData(1024, 9, 10_240, true)]
    [InlineData(1024, 29, 30_720, true)]
    [InlineData(1024, 1, 1000, false)]
    [InlineData(1024, 29, 30_719, false)]
    [InlineData(1024, 30, 1 << 20, false)]
    [InlineData(0, 29, 1, true)]
    [InlineData(0, 30, 1, false)]
    public void Patience_IsForTheLeastRateOverTheTime(int least, int seconds, int bytes, bool isEnough)
    {
        using Patience patience = new(new HttpFileOptions { MinBytesPerSecond = least }, _time, CancellationToken.None);
        for (int i = 0; i < 100; i++)
        {
            patience.Start();
            _time.Advance(TimeSpan.FromSeconds(seconds));
            patience.Received(bytes);
            patience.Stop();

            // Between answers there may be a wait for a turn.
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(!isEnough, patience.Token.IsCancellationRequested);
    }

    [Fact]
    public void Patience_EndsWithTheCallers()
    {
        using CancellationTokenSource caller = new();
        using Patience patience = new(Fast, _time, caller.Token);
        caller.Cancel();
        Assert.True(patience.Token.IsCancellationRequested);
        Assert.Throws<ArgumentOutOfRangeException>(() => new HttpFileOptions { MinBytesPerSecond = -1 });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ServerThatSendsAByteAnAnswer_IsGivenUp(bool async)
    {
        _server.Before = async context =>
        {
            await PartialAnswer.Send(context, _content, 1, "\"v1\"", isWhole: true);
            return true;
        };
        Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => Open(Fast, async));
        Assert.Contains("more than 128 answers for 65536 bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal(129, _server.Requests.Count);
    }

    private async Task<Qcow2Chain> Open(HttpFileOptions options, bool async)
    {
        Uri address = _server.AddressOf("disk.raw");
        HttpHostFile file = new(address, new HttpSource(options, address, time: _time), judge: null);
        return async ? await Qcow2Chain.OpenAsync(file) : Qcow2Chain.Open(file);
    }
}
