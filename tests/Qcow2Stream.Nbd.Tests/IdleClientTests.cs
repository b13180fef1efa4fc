using System.Net.Sockets;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>Who has to go when the house is full: the one idle for longest, and nobody for whom something is under way.</summary>
public sealed class IdleClientTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();
    private readonly GatedFile _file = new(ServedImage.Bytes);
    private readonly ManualResetEventSlim _open = new(initialState: true);
    private readonly ManualResetEventSlim _reading = new();

    public void Dispose()
    {
        _open.Dispose();
        _reading.Dispose();
    }

    [Fact]
    public void IdleClients_GiveWayToNewOnes()
    {
        using LocalServer server = Serve(most: 3);
        using RawClient silent = server.Connect();
        using RawClient greeted = server.Connect();
        greeted.Greet();
        _time.Advance(Second);
        using RawClient started = server.Start();
        _time.Advance(Second * 8);
        Assert.Single(started.Call(RawClient.Read, 0, 512));

        // Nobody has been idle for ten seconds.
        using (RawClient refused = server.Connect())
        {
            Assert.True(refused.IsClosed);
        }

        _time.Advance(Second);
        silent.Receive(18);
        using RawClient first = server.Start();
        using RawClient second = server.Start();
        Assert.True(silent.IsClosed);
        Assert.True(greeted.IsClosed);
        foreach (RawClient client in (RawClient[])[started, first, second])
        {
            Assert.Single(client.Call(RawClient.Read, 0, 512));
        }

        // Their last requests were a while ago, but that of one. The server may note the end of a request a moment after its answer has come.
        _time.Advance(Second);
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Assert.Single(started.Call(RawClient.Read, 0, 512));
                _time.Advance(Second * 9);
                using RawClient third = server.Connect();
                return !third.IsClosed;
            },
            TimeSpan.FromSeconds(60)));
        Assert.True(ClosedOf(first, second).IsClosed);
        Assert.Single(started.Call(RawClient.Read, 0, 512));
        Assert.Empty(server.Errors);
    }

    [Fact]
    public void ClientWhoseRequestIsUnderWay_Stays()
    {
        using LocalServer server = Serve(most: 1);
        using RawClient busy = server.Start();
        _open.Reset();
        _reading.Reset();
        busy.Send(RawClient.Request(RawClient.Read, 1, 0, 512));
        _reading.Wait();
        _time.Advance(TimeSpan.FromHours(1));
        using (RawClient refused = server.Connect())
        {
            Assert.True(refused.IsClosed);
        }

        _open.Set();
        Assert.True(busy.ReceiveChunk().IsLast);
    }

    /// <summary>It asks for much, and takes nothing of it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ClientThatTakesNoAnswers_GivesWay(bool structured)
    {
        using LocalServer server = Serve(most: 1);
        using RawClient stuck = server.Start(structured);
        for (uint i = 0; i < 200; i++)
        {
            stuck.Send(RawClient.Request(RawClient.Read, i, 13 * ServedImage.ClusterSize, 200 * ServedImage.ClusterSize));
        }

        // The client's place is free once its answers are stuck.
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                _time.Advance(Second * 10);
                using RawClient next = server.Connect();
                return !next.IsClosed;
            },
            TimeSpan.FromSeconds(60)));
    }

    /// <summary>Waits until one of two connections is over; nothing else is to come on either.</summary>
    private static RawClient ClosedOf(RawClient first, RawClient second)
    {
        List<Socket> readable = [first.Socket, second.Socket];
        Socket.Select(readable, checkWrite: null, checkError: null, TimeSpan.FromSeconds(60));
        return Assert.Single(readable) == first.Socket ? first : second;
    }

    private LocalServer Serve(int most)
    {
        _file.Before = _ =>
        {
            _reading.Set();
            _open.Wait();
        };
        return new LocalServer(Qcow2Chain.Open(_file), options: new NbdServerOptions { MaxConnections = most, Time = _time, HandshakeTimeout = TimeSpan.FromDays(1) });
    }
}
