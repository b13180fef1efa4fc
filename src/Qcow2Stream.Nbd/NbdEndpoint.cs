using System.Net;
using Qcow2Stream.Nbd.Serving;

namespace Qcow2Stream.Nbd;

/// <summary>Where a server can be reached: a Unix socket, or a TCP port. A description, which opens nothing by itself. Immutable.</summary>
public sealed class NbdEndpoint
{
    private readonly Func<Listener> _open;
    private readonly string _text;

    private NbdEndpoint(Func<Listener> open, string text)
    {
        _open = open;
        _text = text;
    }

    /// <summary>
    /// A Unix socket that <see cref="NbdServer.Listen"/> makes, for this process's user alone (mode 0600), and whose file is removed
    /// when the server ends. Whatever exists there already is never touched.
    /// </summary>
    /// <param name="path">
    /// The socket's file, in an existing directory; about a hundred bytes at most. A relative one starts at the
    /// current directory when the server starts to listen.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or has a NUL.</exception>
    public static NbdEndpoint UnixSocket(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return path.Contains('\0')
            ? throw new ArgumentException("A path can't contain a NUL.", nameof(path))
            : new NbdEndpoint(() => Listener.OnPath(path), path);
    }

    /// <summary>A TCP port of the IPv4 loopback interface (127.0.0.1): programs of all this host's users can connect.</summary>
    /// <param name="port">0 to 65535; 0 takes a free one. Clients use 10809 if none is given.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="port"/> is not a port.</exception>
    public static NbdEndpoint Tcp(int port) => Tcp(IPAddress.Loopback, port);

    /// <summary>A TCP port of one of this host's addresses. Anyone who can reach it can read the disk.</summary>
    /// <param name="address">IPv4 or IPv6; <see cref="IPAddress.Any"/> or <see cref="IPAddress.IPv6Any"/> for all of the kind.</param>
    /// <param name="port">0 to 65535; 0 takes a free one. Clients use 10809 if none is given.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="port"/> is not a port.</exception>
    public static NbdEndpoint Tcp(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        IPEndPoint endpoint = new(address, port);
        return new NbdEndpoint(() => Listener.OnPort(endpoint), endpoint.ToString());
    }

    /// <summary>The path, or the address and the port, as given.</summary>
    public override string ToString() => _text;

    /// <summary>Starts to listen.</summary>
    /// <exception cref="IOException">It can't.</exception>
    internal Listener Open() => _open();
}
