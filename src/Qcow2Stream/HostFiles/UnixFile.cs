using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Shared;

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
    /// Opens a regular file for reading. On Linux its place is found first, without opening anything, so that a pipe or a device
    /// never is; elsewhere, what was opened is given up unless it is a regular file. In this order nothing can be swapped in
    /// between the look and the open.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="identity">What distinguishes it from every other.</param>
    /// <param name="hasDirectory">Whether the path leads to it by names alone: not over what another process or handle has open.</param>
    public static SafeFileHandle OpenRegular(string path, out object? identity, out bool hasDirectory)
    {
        hasDirectory = true;
        using SafeFileHandle? place = LinuxFile.IsSupported ? LinuxFile.Find(path, out hasDirectory) : null;
        return OpenRegular(place, path, out identity);
    }

    /// <summary>Opens a regular file for reading that a path without links leads to, below a directory, which may itself be reached over links.</summary>
    /// <param name="root">The directory.</param>
    /// <param name="relative">The path from there on: one that stays below it, and was found to pass no link.</param>
    /// <param name="identity">What distinguishes the file from every other.</param>
    /// <exception cref="IOException">It can't be opened, isn't a regular file, or passes a link by now.</exception>
    public static SafeFileHandle OpenBelow(string root, string relative, out object? identity)
    {
        using SafeFileHandle? place = LinuxFile.IsSupported ? LinuxFile.FindBelow(root, relative) : null;
        return OpenRegular(place, Path.Combine(root, relative), out identity);
    }

    /// <summary>Whether it is a regular file.</summary>
    public static bool IsRegular(SafeFileHandle handle) => (GetStatus(handle).Mode & FileTypeMask) == RegularFile;

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

    /// <inheritdoc cref="HostFile.GetHoleLength"/>
    public static long GetHoleLength(SafeFileHandle handle, long hostOffset, long maxLength)
    {
        long data = Seek(handle, hostOffset, SeekData);
        if (data < 0)
        {
            // ENXIO is the answer past the end too, which may have come nearer.
            data = Marshal.GetLastPInvokeError() == NoDataBeyond ? RandomAccess.GetLength(handle) : hostOffset;
        }

        return Math.Clamp(data - hostOffset, 0, maxLength);
    }

    /// <summary>What distinguishes an open file from every other, whatever its name.</summary>
    public static object GetIdentity(SafeFileHandle handle) => GetStatus(handle).Identity;

    /// <summary>The bytes that the file takes on its file system: holes take none.</summary>
    public static long GetAllocatedLength(SafeFileHandle handle) => GetStatus(handle).Blocks * BlockSize;

    /// <summary>What a failed call means.</summary>
    public static Exception OpenError(string path, int error) => error switch
    {
        EntryMissing => new FileNotFoundException($"Could not find file '{PrintableText.Escape(path)}'.", path),
        DirectoryMissing => new DirectoryNotFoundException($"Could not find a part of the path '{PrintableText.Escape(path)}'."),
        AccessDenied or NotPermitted => new UnauthorizedAccessException($"Access to the path '{PrintableText.Escape(path)}' is denied."),
        _ => new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{PrintableText.Escape(path)}'"),
    };

    private static SafeFileHandle OpenRegular(SafeFileHandle? place, string path, out object? identity)
    {
        if (place is not null)
        {
            CheckRegular(GetStatus(place), path);
        }

        int flags = ReadOnly | NonBlocking | CloseOnExec;
        int descriptor = place is null ? Open(path, flags) : LinuxFile.Open(place, path, flags);
        if (descriptor < 0)
        {
            throw OpenError(path, Marshal.GetLastPInvokeError());
        }

        SafeFileHandle handle = new(descriptor, ownsHandle: true);
        try
        {
            FileStatus status = GetStatus(handle);
            CheckRegular(status, path);
            if (place is not null && GetStatus(place).Identity != status.Identity)
            {
                throw new IOException($"'{PrintableText.Escape(path)}' was replaced while it was opened");
            }

            identity = status.Identity;
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static void CheckRegular(in FileStatus status, string path)
    {
        if ((status.Mode & FileTypeMask) != RegularFile)
        {
            throw new IOException($"'{PrintableText.Escape(path)}' is {((status.Mode & FileTypeMask) == DirectoryFile ? "a directory, not a" : "not a regular")} file");
        }
    }

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

    /// <summary>The system's open: a descriptor, or a negative number, with the reason in errno.</summary>
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

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
