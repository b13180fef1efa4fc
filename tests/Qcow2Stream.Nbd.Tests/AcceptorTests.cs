using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Qcow2Stream.Nbd.Serving;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>What happens where the host can't accept a client, which no client can bring about.</summary>
public sealed class AcceptorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>On Linux, accepting at a socket that was shut down fails.</summary>
    [LinuxFact]
    public async Task FailuresInARow_AreToldOnceAndEndNothing()
    {
        using Qcow2Chain chain = ServedImage.Open();
        using Listener listener = Listener.OnPort(new IPEndPoint(IPAddress.Loopback, 0));
        Clients clients = new(new Export(chain, description: null), new NbdServerOptions(), e => Assert.Fail(e.ToString()));
        ConcurrentQueue<NbdError> errors = new();
        using CancellationTokenSource stop = new();
        Task running = new Acceptor(listener, clients, errors.Enqueue).RunAsync(stop.Token);
        using RawClient client = new(LocalServer.AddressOf(listener.Address));
        client.Greet();
        client.Negotiate();

        listener.Socket.Shutdown(SocketShutdown.Both);
        Assert.True(SpinWait.SpinUntil(() => !errors.IsEmpty, Patience));
        await Task.Delay(TimeSpan.FromSeconds(1));
        NbdError error = Assert.Single(errors);
        Assert.StartsWith("no client can be accepted: ", Assert.IsType<IOException>(error.Exception).Message, StringComparison.Ordinal);
        Assert.Equal((null, null, null), (error.GuestOffset, error.Length, error.Client));
        Assert.False(running.IsCompleted);
        Assert.NotEmpty(client.Call(RawClient.Read, 0, 512));

        await stop.CancelAsync();
        await running.WaitAsync(Patience);
        await clients.EndAsync(Patience);
    }
}
