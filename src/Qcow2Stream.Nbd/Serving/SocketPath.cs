using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>
/// A Unix socket's name in the file system. .NET removes whatever has the name of a <see cref="UnixDomainSocketEndPoint"/> that a
/// socket was bound to; this one removes the socket, and nothing that has taken its name meanwhile.
/// </summary>
/// <param name="path">As given: a path from the current directory on may be short enough where the full one isn't.</param>
internal sealed partial class SocketPath(string path) : EndPoint
{
    private const int CurrentDirectory = -100;
    private const int LinkItself = 0x100;
    private const uint InodeNumber = 0x100;
    private const int StatusBufferLength = 256;

    private readonly UnixDomainSocketEndPoint _name = new(path);
    private readonly string _full = Path.GetFullPath(path);
    private (ulong Device, ulong Inode)? _identity;

    public override AddressFamily AddressFamily => _name.AddressFamily;

    public override SocketAddress Serialize() => _name.Serialize();

    public override EndPoint Create(SocketAddress socketAddress) => _name.Create(socketAddress);

    /// <summary>Takes note of what has the name now: the socket that was just bound.</summary>
    public void Remember() => _identity = IdentityOf(_full);

    /// <summary>Removes the name if it still is the socket's. The socket must be open: its inode is nobody else's so long.</summary>
    public void Remove()
    {
        if (OperatingSystem.IsWindows() || (_identity is { } own && IdentityOf(_full) == own))
        {
            try
            {
                File.Delete(_full);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It stays: its directory belongs to somebody else by now.
            }
        }
    }

    /// <returns>Null if there is nothing of that name, or where it can't be known.</returns>
    private static (ulong Device, ulong Inode)? IdentityOf(string file)
    {
        Span<byte> buffer = stackalloc byte[StatusBufferLength];

        // Linux, struct statx: stx_ino at 32, stx_dev_major and _minor at 136, on every architecture. macOS, struct stat with
        // 64-bit inodes: st_dev at 0, st_ino at 8.
        return OperatingSystem.IsLinux()
            ? Statx(CurrentDirectory, file, LinkItself, InodeNumber, buffer) == 0
                ? (BitConverter.ToUInt64(buffer[136..]), BitConverter.ToUInt64(buffer[32..]))
                : null
            : OperatingSystem.IsMacOS() && (RuntimeInformation.ProcessArchitecture == Architecture.X64 ? LstatInode64(file, buffer) : Lstat(file, buffer)) == 0
                ? (BitConverter.ToUInt32(buffer), BitConverter.ToUInt64(buffer[8..]))
                : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Lstat(string path, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LstatInode64(string path, Span<byte> buffer);
}
