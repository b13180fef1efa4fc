using System.Net;
using Qcow2Stream.Cli.Nbd;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>The server inside the test's own process, over a chain that becomes its own.</summary>
internal sealed class LocalServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Qcow2Chain _chain;
    private readonly Endpoint _endpoint;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <summary>Serves on a port, or on a socket if there is a path.</summary>
    public LocalServer(Qcow2Chain chain, string? path = null, int maxConnections = 16, int handshakeSeconds = 30)
    {
        _chain = chain;
        _endpoint = path is null ? Endpoint.OnPort(IPAddress.Loopback, 0) : Endpoint.OnPath(path);
        Export export = new(chain, TextWriter.Synchronized(Messages));
        NbdServer server = new(export, maxConnections) { HandshakeTime = TimeSpan.FromSeconds(handshakeSeconds) };
        _running = Task.Run(() => server.RunAsync(_endpoint.Listener, _stop.Token));
        Address = _endpoint.Listener.LocalEndPoint!;
    }

    public string Uri => _endpoint.Uri;

    public EndPoint Address { get; }

    /// <summary>The size of the disk in bytes.</summary>
    public long Length => _chain.Length;

    /// <summary>What the server's user is told.</summary>
    public StringWriter Messages { get; } = new();

    public RawClient Connect() => new(Address);

    /// <summary>A client behind the handshake.</summary>
    public RawClient Start(bool structured = true, params string[] contexts)
    {
        RawClient client = Connect();
        client.Greet();
        client.Negotiate(structured, contexts);
        return client;
    }

    /// <summary>Ends it, and fails if it does not end.</summary>
    public void Stop()
    {
        _stop.Cancel();
        Assert.True(_running.Wait(Patience), "the server does not end");
    }

    public void Dispose()
    {
        Stop();
        _endpoint.Dispose();
        _chain.Dispose();
        _stop.Dispose();
    }
}
