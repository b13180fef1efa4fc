using System.Net;
using System.Net.Sockets;
using System.Text;
using Shared;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>Where clients connect: a socket that listens, and its address.</summary>
internal sealed class Endpoint : IDisposable
{
    private const int Backlog = 128;

    private Endpoint(Socket listener, string uri)
    {
        Listener = listener;
        Uri = uri;
    }

    public Socket Listener { get; }

    /// <summary>The address for clients, as the NBD project's doc/uri.md has it.</summary>
    public string Uri { get; }

    /// <summary>A socket in the file system that this user alone may connect to.</summary>
    /// <exception cref="IOException">There is something of that name, or it can't be made.</exception>
    public static Endpoint OnPath(string path)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(directory))
        {
            throw new IOException($"there is no directory {PrintableText.Escape(directory)} for the socket");
        }

        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
            {
                // Nobody can connect before it listens.
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            listener.Listen(Backlog);
            string escaped = System.Uri.EscapeDataString(Path.GetFullPath(path)).Replace("%2F", "/", StringComparison.Ordinal);
            return new Endpoint(listener, $"nbd+unix:///?socket={escaped}");
        }
        catch (Exception e) when (e is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            listener.Dispose();
            throw new IOException(
                e switch
                {
                    SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } =>
                        $"{PrintableText.Escape(path)} is there already: remove it if no server uses it any more, or name another path",
                    ArgumentException =>
                        $"the path of the socket has {Encoding.UTF8.GetByteCount(path)} bytes, and systems allow about a hundred: name a shorter one",
                    _ => $"cannot listen on {PrintableText.Escape(path)}: {e.Message}",
                },
                e);
        }
    }

    /// <summary>A TCP port of one of this machine's addresses.</summary>
    /// <exception cref="IOException">It is in use, or the address is not this machine's.</exception>
    public static Endpoint OnPort(IPAddress address, int port)
    {
        Socket listener = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(address, port));
            listener.Listen(Backlog);
            return new Endpoint(listener, $"nbd://{listener.LocalEndPoint}");
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new IOException($"cannot listen on port {port} of {address}: {e.Message}", e);
        }
    }

    /// <summary>Closes the socket. .NET removes the file of one that it has bound.</summary>
    public void Dispose() => Listener.Dispose();
}
