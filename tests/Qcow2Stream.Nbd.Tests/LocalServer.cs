using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>The server inside the test's own process, over a chain that becomes its own.</summary>
internal sealed class LocalServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NbdServer _server;
    private readonly ConcurrentQueue<NbdError> _errors = new();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Serves on a port, or on a socket if there is a path.</summary>
    public LocalServer(Qcow2Chain chain, string? path = null, NbdServerOptions? options = null)
    {
        Length = chain.Length;
        _server = new NbdServer(chain, (options ?? new NbdServerOptions()) with { OnError = _errors.Enqueue });
        Uri = _server.Listen(path is null ? NbdEndpoint.Tcp(0) : NbdEndpoint.UnixSocket(path));
        Address = path is null ? AddressOf(Uri) : new UnixDomainSocketEndPoint(path);
        Running = _server.RunAsync(_stop.Token);
    }

    public string Uri { get; }

    public EndPoint Address { get; }

    /// <summary>The size of the disk in bytes.</summary>
    public long Length { get; }

    /// <summary>What <see cref="NbdServer.RunAsync"/> gave.</summary>
    public Task Running { get; }

    /// <summary>What the server's owner gets.</summary>
    public IReadOnlyCollection<NbdError> Errors => _errors;

    /// <summary>Where an address of the form nbd://ADDRESS:PORT leads.</summary>
    public static IPEndPoint AddressOf(string uri) => IPEndPoint.Parse(uri["nbd://".Length..]);

    public RawClient Connect() => new(Address);

    /// <summary>A client after the handshake.</summary>
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
        Assert.True(Running.Wait(Patience), "the server does not end");
    }

    public void Dispose()
    {
        Stop();
        _server.Dispose();
        _stop.Dispose();
    }
}
