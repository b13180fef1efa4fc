using System.Diagnostics;
using System.Net.Sockets;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>A server's life: what it owns, in which order it is used, what it shares.</summary>
public sealed class NbdServerTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Chain_IsClosedWithTheServerUnlessItIsLeftOpen(bool leaveOpen, bool async)
    {
        GatedFile file = new(ServedImage.Bytes);
        using Qcow2Chain chain = Qcow2Chain.Open(file);
        NbdServer server = new(chain, new NbdServerOptions { LeaveOpen = leaveOpen });
        server.Listen(NbdEndpoint.Tcp(0));
        Task running = server.RunAsync();
        await (async ? server.DisposeAsync() : DisposeNow(server));
        Assert.Equal(!leaveOpen, file.IsDisposed);
        await running;
        server.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public void ServerThatCannotListen_StillOwnsTheChain()
    {
        GatedFile file = new(ServedImage.Bytes);
        using (NbdServer server = new(Qcow2Chain.Open(file)))
        {
            Assert.Throws<DirectoryNotFoundException>(() => server.Listen(NbdEndpoint.UnixSocket(_directory.File("none/socket"))));
            Assert.False(file.IsDisposed);
        }

        Assert.True(file.IsDisposed);
    }

    [Fact]
    public void TwoServersOnOneChain_ServeSideBySide()
    {
        using Qcow2Chain chain = ServedImage.Open();
        NbdServerOptions shared = new() { LeaveOpen = true };
        using LocalServer first = new(chain, options: shared);
        using RawClient ofFirst = first.Start();
        using (LocalServer second = new(chain, _directory.File("socket"), shared))
        {
            using RawClient ofSecond = second.Start();
            foreach (RawClient client in (RawClient[])[ofFirst, ofSecond, ofFirst])
            {
                Assert.Equal(GuestDisk.Filled(1000, 3), client.Call(RawClient.Read, 13 * ServedImage.ClusterSize, 1000)[0].Data);
            }
        }

        Assert.Equal(GuestDisk.Filled(1000, 1), ofFirst.Call(RawClient.Read, 0, 1000)[0].Data);
        Assert.Equal(GuestDisk.Filled(1000, 1), chain.ReadRange(0, 1000));
    }

    [UnixFact]
    public async Task EndpointsOfOneServer_ShareItsConnections()
    {
        string path = _directory.File("socket");
        await using NbdServer server = new(ServedImage.Open(), new NbdServerOptions { MaxConnections = 1 });
        string port = server.Listen(NbdEndpoint.Tcp(0));
        server.Listen(NbdEndpoint.UnixSocket(path));
        Task running = server.RunAsync();
        using (RawClient first = new(LocalServer.AddressOf(port)))
        {
            first.Greet();
            first.Negotiate();
            using RawClient second = new(new UnixDomainSocketEndPoint(path));
            Assert.True(second.IsClosed);
            Assert.Single(first.Call(RawClient.Read, 0, 512));
        }

        // The place is free a moment after the client has left.
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                using RawClient third = new(new UnixDomainSocketEndPoint(path));
                return !third.IsClosed;
            },
            TimeSpan.FromSeconds(60)));
        Assert.False(running.IsCompleted);
    }

    /// <summary>Who comes before the server runs waits for it.</summary>
    [Fact]
    public async Task ClientBeforeTheRun_IsServedThen()
    {
        await using NbdServer server = new(ServedImage.Open());
        using RawClient client = new(LocalServer.AddressOf(server.Listen(NbdEndpoint.Tcp(0))));
        Task running = server.RunAsync();
        client.Greet();
        client.Negotiate();
        Assert.Single(client.Call(RawClient.Read, 0, 512));
        Assert.False(running.IsCompleted);
    }

    [Fact]
    public async Task WrongOrder_IsMisuse()
    {
        NbdServer server = new(ServedImage.Open());
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.RunAsync());
        server.Listen(NbdEndpoint.Tcp(0));
        using CancellationTokenSource stop = new();
        Task running = server.RunAsync(stop.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.RunAsync());
        Assert.Throws<InvalidOperationException>(() => server.Listen(NbdEndpoint.Tcp(0)));
        await stop.CancelAsync();
        await running;
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.RunAsync());
        Assert.Throws<InvalidOperationException>(() => server.Listen(NbdEndpoint.Tcp(0)));

        server.Dispose();
        Assert.Throws<ObjectDisposedException>(() => server.Listen(NbdEndpoint.Tcp(0)));
        Assert.Throws<ObjectDisposedException>(server.Unlock);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.RunAsync());
    }

    [Fact]
    public async Task TokenCancelledBefore_EndsTheRunAtOnce()
    {
        using NbdServer server = new(ServedImage.Open());
        server.Listen(NbdEndpoint.Tcp(0));
        Stopwatch watch = Stopwatch.StartNew();
        await server.RunAsync(new CancellationToken(canceled: true));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
    }

    private static ValueTask DisposeNow(NbdServer server)
    {
        server.Dispose();
        return ValueTask.CompletedTask;
    }
}
