using System.Diagnostics;
using System.Net.Sockets;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>How a server ends while clients are connected: gently if it is cancelled, at once if it is disposed.</summary>
public sealed class ServerEndTests : IDisposable
{
    // Nobody has read that part of the image before.
    private const ulong Far = 150 * ServedImage.ClusterSize;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Of the server.
    private static readonly TimeSpan FiveSeconds = TimeSpan.FromSeconds(5);

    private readonly TempDirectory _directory = new();
    private readonly string _socket;
    private readonly GatedFile _file = new(ServedImage.Bytes);
    private readonly ManualResetEventSlim _asked = new();
    private readonly ManualResetEventSlim _answer = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly NbdServer _server;
    private readonly Task _running;

    public ServerEndTests()
    {
        _socket = _directory.File("socket");
        _server = new NbdServer(Qcow2Chain.Open(_file));
        _server.Listen(NbdEndpoint.UnixSocket(_socket));
        _running = _server.RunAsync(_stop.Token);
    }

    public void Dispose()
    {
        _answer.Set();
        _server.Dispose();
        _stop.Dispose();
        _directory.Dispose();
    }

    [UnixFact]
    public async Task Cancelled_AnswersWhatIsUnderWay()
    {
        using RawClient client = AskForMore();
        await _stop.CancelAsync();
        Assert.True(SpinWait.SpinUntil(() => !Path.Exists(_socket), Patience));
        Assert.False(_running.IsCompleted);
        _answer.Set();
        Assert.Equal(GuestDisk.Filled(4096, 3), client.ReceiveChunk().Data);
        Assert.True(client.IsClosed);
        await _running.WaitAsync(Patience);
        Assert.False(_file.IsDisposed);
    }

    [UnixFact]
    public async Task DisposedAsynchronously_AnswersWhatIsUnderWay()
    {
        using RawClient client = AskForMore();
        ValueTask disposing = _server.DisposeAsync();
        Assert.True(SpinWait.SpinUntil(() => !Path.Exists(_socket), Patience));
        Assert.False(_file.IsDisposed);
        _answer.Set();
        Assert.Equal(GuestDisk.Filled(4096, 3), client.ReceiveChunk().Data);
        Assert.True(client.IsClosed);
        await disposing.AsTask().WaitAsync(Patience);
        Assert.True(_running.IsCompletedSuccessfully);
        Assert.True(_file.IsDisposed);
    }

    /// <summary>Neither a client that takes nothing nor a read that does not come back is waited for.</summary>
    [UnixFact]
    public async Task WhatDoesNotEnd_IsCutOffAfterAWhile()
    {
        using RawClient deaf = Connect();
        for (int i = 0; i < 100; i++)
        {
            // In one chunk each, so that even zeros are sent.
            deaf.Send(RawClient.Request(RawClient.Read, 1, 0, 1 << 20, flags: 4));
        }

        using RawClient client = AskForMore();
        Stopwatch watch = Stopwatch.StartNew();
        await _stop.CancelAsync();
        await _running.WaitAsync(Patience);
        Assert.InRange(watch.Elapsed, FiveSeconds - TimeSpan.FromSeconds(1), Patience);
        Assert.True(client.IsClosed);
    }

    [UnixFact]
    public async Task Disposed_CutsOffAllClientsAtOnce()
    {
        using RawClient silent = new(new UnixDomainSocketEndPoint(_socket));
        using RawClient greeted = new(new UnixDomainSocketEndPoint(_socket));
        greeted.Greet();
        using RawClient idle = Connect();
        using RawClient waiting = AskForMore();
        Stopwatch watch = Stopwatch.StartNew();
        _server.Dispose();
        await _running.WaitAsync(Patience);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, FiveSeconds - TimeSpan.FromSeconds(1));
        Assert.False(Path.Exists(_socket));
        Assert.True(_file.IsDisposed);
        silent.Receive(18);
        Assert.True(silent.IsClosed && greeted.IsClosed && idle.IsClosed && waiting.IsClosed);
    }

    /// <summary>Who is in a hurry does not wait for the gentle end.</summary>
    [UnixFact]
    public async Task DisposedWhileItEndsGently_EndsAtOnce()
    {
        using RawClient waiting = AskForMore();
        Stopwatch watch = Stopwatch.StartNew();
        await _stop.CancelAsync();
        Assert.True(SpinWait.SpinUntil(() => !Path.Exists(_socket), Patience));
        _server.Dispose();
        await _running.WaitAsync(Patience);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, FiveSeconds - TimeSpan.FromSeconds(1));
        Assert.True(waiting.IsClosed);
    }

    [UnixFact]
    public async Task ChainClosedByItsOwner_EndsConnectionsAndNothingMore()
    {
        using Qcow2Chain chain = ServedImage.Open();
        using LocalServer server = new(chain, options: new NbdServerOptions { LeaveOpen = true });
        using RawClient client = server.Start();
        chain.Dispose();
        client.Send(RawClient.Request(RawClient.Read, 1, Far, 4096));
        Assert.True(client.IsClosed);
        Assert.Empty(server.Errors);
        server.Stop();
        await server.Running;
    }

    private RawClient Connect()
    {
        RawClient client = new(new UnixDomainSocketEndPoint(_socket));
        client.Greet();
        client.Negotiate();
        return client;
    }

    /// <summary>A client with a request that the server reads for, until <see cref="_answer"/>.</summary>
    private RawClient AskForMore()
    {
        RawClient client = Connect();
        Assert.NotEmpty(client.Call(RawClient.Read, 13 * ServedImage.ClusterSize, 512));
        _file.Before = _ =>
        {
            _asked.Set();
            _answer.Wait();
        };
        client.Send(RawClient.Request(RawClient.Read, 1, Far, 4096));
        Assert.True(_asked.Wait(Patience), "nothing is read");
        return client;
    }
}
