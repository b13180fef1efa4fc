using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.HostFiles;

/// <summary>
/// What .NET does not offer on Linux and macOS: opening without blocking on a pipe, the kind and identity of an
/// open file, and its holes. Nothing else in the library calls those systems.
/// </summary>
internal static partial class UnixFile
{
    private const int ReadOnly = 0;
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int DirectoryFile = 0x4000;
    private const int EntryMissing = 2;
    private const int NoDataBeyond = 6;
    private const int DirectoryMissing = 20;
    private const int AccessDenied = 13;
    private const int NotPermitted = 1;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7FF;
    private const int StatusBufferLength = 256;

    // The unit of st_blocks, whatever the file system's own.
    private const int BlockSize = 512;

    [SupportedOSPlatformGuard("linux")]
    [SupportedOSPlatformGuard("macos")]
    public static bool IsSupported => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    private static int NonBlocking => OperatingSystem.IsLinux() ? 0x800 : 0x4;

    private static int CloseOnExec => OperatingSystem.IsLinux() ? 0x80000 : 0x1000000;

    private static int SeekData => OperatingSystem.IsLinux() ? 3 : 4;

    private static int SeekHole => OperatingSystem.IsLinux() ? 4 : 3;

    /// <summary>
    /// Opens for reading, looks at what was opened, and gives it up unless it is a regular file. In this order
    /// nothing can be swapped in between the look and the open.
    /// </summary>
    public static SafeFileHandle OpenRegular(string path, out object? identity)
    {
        int descriptor = Open(path, ReadOnly | NonBlocking | CloseOnExec);
        if (descriptor < 0)
        {
            throw OpenError(path, Marshal.GetLastPInvokeError());
        }

        SafeFileHandle handle = new(descriptor, ownsHandle: true);
        try
        {
            FileStatus status = GetStatus(handle);
            identity = status.Identity;
            return (status.Mode & FileTypeMask) == RegularFile
                ? handle
                : throw new IOException($"'{path}' is {((status.Mode & FileTypeMask) == DirectoryFile ? "a directory, not a" : "not a regular")} file");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="HostFile.GetRegion"/>
    public static (bool IsHole, long Length) GetRegion(SafeFileHandle handle, long hostOffset, long maxLength)
    {
        // The descriptor's cursor, which lseek moves, is used by nothing else: all reads are positional.
        long data = Seek(handle, hostOffset, SeekData);
        if (data < 0)
        {
            // ENXIO: no data up to the end of the file. Anything else: a file system that doesn't know.
            return (Marshal.GetLastPInvokeError() == NoDataBeyond, maxLength);
        }

        if (data > hostOffset)
        {
            return (true, Math.Min(maxLength, data - hostOffset));
        }

        long hole = Seek(handle, hostOffset, SeekHole);
        return (false, hole <= hostOffset ? maxLength : Math.Min(maxLength, hole - hostOffset));
    }

    /// <summary>What distinguishes an open file from every other, whatever its name.</summary>
    public static object GetIdentity(SafeFileHandle handle) => GetStatus(handle).Identity;

    /// <summary>The bytes that the file takes on its file system: holes take none.</summary>
    public static long GetAllocatedLength(SafeFileHandle handle) => GetStatus(handle).Blocks * BlockSize;

    private static Exception OpenError(string path, int error) => error switch
    {
        EntryMissing => new FileNotFoundException($"Could not find file '{path}'.", path),
        DirectoryMissing => new DirectoryNotFoundException($"Could not find a part of the path '{path}'."),
        AccessDenied or NotPermitted => new UnauthorizedAccessException($"Access to the path '{path}' is denied."),
        _ => new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'"),
    };

    private static FileStatus GetStatus(SafeFileHandle handle)
    {
        Span<byte> buffer = stackalloc byte[StatusBufferLength];
        int result = OperatingSystem.IsLinux() ? Statx(handle, "", EmptyPath, BasicStats, buffer)
            : RuntimeInformation.ProcessArchitecture == Architecture.X64 ? FstatInode64(handle, buffer)
            : Fstat(handle, buffer);
        if (result != 0)
        {
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        }

        // Linux, struct statx: stx_mode at 28, stx_ino at 32, stx_blocks at 48, stx_dev_major and _minor at 136, on
        // every architecture. macOS, struct stat with 64-bit inodes: st_dev at 0, st_mode at 4, st_ino at 8, st_blocks at 104.
        return OperatingSystem.IsLinux()
            ? new FileStatus(
                BitConverter.ToUInt16(buffer[28..]),
                new Inode(BitConverter.ToUInt64(buffer[136..]), BitConverter.ToUInt64(buffer[32..])),
                BitConverter.ToInt64(buffer[48..]))
            : new FileStatus(
                BitConverter.ToUInt16(buffer[4..]),
                new Inode(BitConverter.ToUInt32(buffer), BitConverter.ToUInt64(buffer[8..])),
                BitConverter.ToInt64(buffer[104..]));
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle handle, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(SafeFileHandle handle, string path, int flags, uint mask, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static partial int Fstat(SafeFileHandle handle, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int FstatInode64(SafeFileHandle handle, Span<byte> buffer);

    private readonly record struct Inode(ulong Device, ulong Number);

    private readonly record struct FileStatus(int Mode, Inode Identity, long Blocks);
}
