using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Names and addresses as a test has them, whose servers are in fact on this host.</summary>
internal sealed class FakeNetwork
{
    private readonly ConcurrentDictionary<string, IPAddress[]> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentQueue<string> _dialed = new();
    private readonly Func<IPAddress, int> _portOf;

    /// <summary>Initializes the network.</summary>
    /// <param name="portOf">The port of this host where the server of an address is; 0 if there is none.</param>
    public FakeNetwork(Func<IPAddress, int> portOf)
    {
        _portOf = portOf;
        Connector = new Connector((name, _) => ResolveAsync(name), DialAsync);
    }

    public Connector Connector { get; }

    /// <summary>All that was connected to, in order.</summary>
    public IReadOnlyCollection<string> Dialed => _dialed;

    public void Name(string name, params string[] addresses) => _names[name] = [.. addresses.Select(IPAddress.Parse)];

    public HostFile File(string address, HttpFileOptions? options = null, TimeProvider? time = null)
    {
        Uri uri = new(address);
        return new HttpHostFile(uri, new HttpSource(options ?? HttpFileOptions.Default, uri, connector: Connector, time: time), judge: null);
    }

    private Task<IPAddress[]> ResolveAsync(string name) => _names.TryGetValue(name, out IPAddress[]? addresses)
        ? Task.FromResult(addresses)
        : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));

    private async ValueTask<Stream> DialAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        _dialed.Enqueue(endpoint.Address.ToString());
        if (_portOf(endpoint.Address) is not (> 0 and int port))
        {
            throw new SocketException((int)SocketError.ConnectionRefused);
        }

        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
