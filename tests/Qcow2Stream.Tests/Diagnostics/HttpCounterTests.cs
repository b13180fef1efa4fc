using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Remote;

namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>Exact counts of what is asked of a web server, which counts too.</summary>
[Collection(nameof(DiagnosticsCollection))]
public sealed class HttpCounterTests : IDisposable
{
    private const int Length = 1 << 20;

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly Recording _recording = new();

    public HttpCounterTests()
    {
        _server = new WebServer(_directory.Path);
        _directory.Write("disk.raw", GuestDisk.Noise(Length, seed: 3));
    }

    public static TheoryData<bool> Ways => [false, true];

    public void Dispose()
    {
        _recording.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task RequestsAndBytes_AreThoseOfTheServer(bool async)
    {
        using Qcow2Chain chain = await Open(async);
        await Read(chain, Length / 2, 3 * Block.Size, async);
        Assert.Equal(2, _server.Requests.Count);
        Assert.Equal(4 * Block.Size, _server.BytesSent);
        AssertAsTheServerHasIt();
        Assert.Equal(0, _recording.Take(Qcow2Diagnostics.HttpRetries));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Blocks_MissOnceAndHitThen(bool async)
    {
        using Qcow2Chain chain = await Open(async);

        // Opening asked for the first one, and then looked there for a header.
        AssertBlocks(hits: 1, misses: 0);
        await Read(chain, 0, Block.Size, async);
        AssertBlocks(hits: 1, misses: 0);
        await Read(chain, Length / 2, 3 * Block.Size, async);
        AssertBlocks(hits: 0, misses: 3);
        await Read(chain, Length / 2, 3 * Block.Size, async);
        AssertBlocks(hits: 3, misses: 0);

        // Two are here, and two are not.
        await Read(chain, (Length / 2) + Block.Size, 4 * Block.Size, async);
        AssertBlocks(hits: 2, misses: 2);
        Assert.Equal(4096 + (11 * Block.Size), _recording.Take(Qcow2Diagnostics.HostReadBytes));
    }

    /// <summary>What nobody has needed yet isn't a miss, and is a hit once it is needed.</summary>
    [Fact]
    public void ReadAhead_IsNoMiss()
    {
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"));
        for (int offset = 0; offset < Length; offset += Block.Size)
        {
            chain.ReadRange(offset, Block.Size);
        }

        double misses = _recording.Take(Qcow2Diagnostics.CacheMisses, Qcow2Diagnostics.BlocksCache);
        Assert.InRange(misses, 1, 4);

        // Opening looked for a header.
        Assert.Equal(1 + (Length / Block.Size) - misses, _recording.Take(Qcow2Diagnostics.CacheHits, Qcow2Diagnostics.BlocksCache));
        AssertAsTheServerHasIt();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Retries_AreCountedAndRequestsToo(bool async)
    {
        using Qcow2Chain chain = await Open(async);
        int failures = 2;
        _server.Before = context => Fail(context, Interlocked.Decrement(ref failures) >= 0);
        await Read(chain, Length / 2, Block.Size, async);
        Assert.Equal(1 + 3, _server.Requests.Count);
        AssertAsTheServerHasIt();
        Assert.Equal(2, _recording.Take(Qcow2Diagnostics.HttpRetries));
    }

    [Fact]
    public void EveryStepOfARedirect_IsARequest()
    {
        _server.Before = context =>
        {
            bool isFirst = context.Request.Path == "/moved.raw";
            if (isFirst)
            {
                context.Response.Redirect("/disk.raw");
            }

            return Task.FromResult(isFirst);
        };
        using var chain = Qcow2Chain.Open(_server.AddressOf("moved.raw"), Options);
        Assert.Equal(2, _server.Requests.Count);
        AssertAsTheServerHasIt();
        Assert.Single(_recording.Durations(Qcow2Diagnostics.HttpRequestDuration));
    }

    [Fact]
    public void EveryAttempt_IsTimedAndSaysHowItEnded()
    {
        int failures = 1;
        _server.Before = context => Fail(context, Interlocked.Decrement(ref failures) >= 0);
        using var chain = Qcow2Chain.Open(_server.AddressOf("disk.raw"), Options);

        // What is read in this way has ended when the call has.
        Assert.Equal(
            [("503", 503), (null, 206)],
            _recording.Durations(Qcow2Diagnostics.HttpRequestDuration)
                .Select(tags => ((string?)tags.GetValueOrDefault(Qcow2Diagnostics.ErrorTypeTag), (int?)tags[Qcow2Diagnostics.HttpStatusTag])));
        Activity[] activities = [.. _recording.Activities];
        Assert.Equal(
            [Qcow2Diagnostics.HttpRequestActivity, Qcow2Diagnostics.HttpRequestActivity, Qcow2Diagnostics.OpenActivity],
            activities.Select(a => a.OperationName));
        Assert.Equal(
            [(503, ActivityStatusCode.Error), (206, ActivityStatusCode.Unset)],
            activities[..2].Select(a => ((int?)a.GetTagItem(Qcow2Diagnostics.HttpStatusTag), a.Status)));
        Assert.All(activities[..2], a => Assert.Equal(activities[2].SpanId, a.ParentSpanId));
    }

    [Fact]
    public void ServerThatNobodyReaches_IsAFailureWithoutAnAnswer()
    {
        Uri nowhere = _server.AddressOf("disk.raw");
        _server.Dispose();
        Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(nowhere, Options with { Http = Options.Http! with { MaxRetries = 0 } }));
        Dictionary<string, object?> tags = Assert.Single(_recording.Durations(Qcow2Diagnostics.HttpRequestDuration));
        Assert.Equal([new(Qcow2Diagnostics.ErrorTypeTag, typeof(HttpRequestException).FullName)], tags);
    }

    private static Qcow2OpenOptions Options { get; } = new()
    {
        Http = new HttpFileOptions { RetryDelay = TimeSpan.FromMilliseconds(1), ReadAheadBytes = 0 },
    };

    private static Task<bool> Fail(HttpContext context, bool fails)
    {
        context.Response.StatusCode = fails ? 503 : 200;
        return Task.FromResult(fails);
    }

    private static async Task Read(Qcow2Chain chain, long offset, int length, bool async)
    {
        if (async)
        {
            Assert.Equal(length, await chain.ReadAtAsync(offset, new byte[length]));
        }
        else
        {
            chain.ReadRange(offset, length);
        }
    }

    private async Task<Qcow2Chain> Open(bool async) => async
        ? await Qcow2Chain.OpenAsync(_server.AddressOf("disk.raw"), Options)
        : Qcow2Chain.Open(_server.AddressOf("disk.raw"), Options);

    private void AssertAsTheServerHasIt()
    {
        Assert.Equal(_server.Requests.Count, _recording.Take(Qcow2Diagnostics.HttpRequests));
        Assert.Equal(_server.BytesSent, _recording.Take(Qcow2Diagnostics.HttpReceivedBytes));
    }

    private void AssertBlocks(int hits, int misses) => Assert.Equal(
        (hits, misses),
        (_recording.Take(Qcow2Diagnostics.CacheHits, Qcow2Diagnostics.BlocksCache),
            _recording.Take(Qcow2Diagnostics.CacheMisses, Qcow2Diagnostics.BlocksCache)));
}
