using System.Net;
using System.Net.Sockets;
using System.Text;
using Shared;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>A socket that listens, and its address for clients.</summary>
internal sealed class Listener : IDisposable
{
    private const int Backlog = 128;

    private readonly SocketPath? _path;
    private int _isDisposed;

    private Listener(Socket socket, string address, SocketPath? path = null)
    {
        Socket = socket;
        Address = address;
        _path = path;
    }

    public Socket Socket { get; }

    /// <summary>The address for clients, as the NBD project's doc/uri.md has it.</summary>
    public string Address { get; }

    /// <summary>A socket in the file system that this user alone may connect to.</summary>
    /// <exception cref="IOException">There is something of that name, or it can't be made.</exception>
    public static Listener OnPath(string path)
    {
        string full = Path.GetFullPath(path);
        string directory = Path.GetDirectoryName(full) ?? full;
        if (!Directory.Exists(directory))
        {
            throw new DirectoryNotFoundException($"there is no directory {PrintableText.Escape(directory)} for the socket");
        }

        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            SocketPath name = new(path);
            socket.Bind(name);
            name.Remember();
            if (!OperatingSystem.IsWindows())
            {
                // Nobody can connect before it listens.
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            socket.Listen(Backlog);
            string escaped = Uri.EscapeDataString(full).Replace("%2F", "/", StringComparison.Ordinal);
            return new Listener(socket, $"nbd+unix:///?socket={escaped}", name);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            socket?.Dispose();
            throw e switch
            {
                SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => new IOException(
                    $"{PrintableText.Escape(path)} is there already: remove it if no server uses it any more, or name another path", e),
                ArgumentException => new PathTooLongException(
                    $"the path of the socket has {Encoding.UTF8.GetByteCount(path)} bytes, and systems allow about a hundred: name a shorter one", e),
                _ => new IOException($"cannot listen on {PrintableText.Escape(path)}: {e.Message}", e),
            };
        }
    }

    /// <summary>A TCP port of one of this machine's addresses.</summary>
    /// <exception cref="IOException">It is in use, or the address is not this machine's.</exception>
    public static Listener OnPort(IPEndPoint endpoint)
    {
        Socket? socket = null;
        try
        {
            // An address family that the host does not have is found out here.
            socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endpoint);
            socket.Listen(Backlog);
            return new Listener(socket, $"nbd://{socket.LocalEndPoint}");
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw new IOException($"cannot listen on port {endpoint.Port} of {endpoint.Address}: {e.Message}", e);
        }
    }

    /// <summary>Closes the socket, and removes its file.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _path?.Remove();
            Socket.Dispose();
        }
    }
}
