using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Shared;

namespace Qcow2Stream.FileSystems.Copying;

/// <summary>A directory on Linux or macOS by its handle, and what is in it by the calls that take one: openat(2), mkdirat(2), symlinkat(2), unlinkat(2).</summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class UnixDirectory : HostDirectory
{
    private const int WriteOnly = 1;
    private const int NotPermitted = 1;
    private const int EntryMissing = 2;
    private const int AccessDenied = 13;
    private const int EntryExists = 17;
    private const int NotADirectory = 20;

    private const uint DirectoryMode = 0b111_000_000;
    private const uint FileMode = 0b110_000_000;

    // A handle that is good for finding things in a directory, and needs no right to list it.
    private static readonly int Search = OperatingSystem.IsLinux() ? 0x200000 : 0;

    private static readonly int CurrentDirectory = OperatingSystem.IsLinux() ? -100 : -2;
    private static readonly int TooManyLinks = OperatingSystem.IsLinux() ? 40 : 62;
    private static readonly int Create = OperatingSystem.IsLinux() ? 0x40 : 0x200;
    private static readonly int Exclusive = OperatingSystem.IsLinux() ? 0x80 : 0x800;
    private static readonly int CloseOnExec = OperatingSystem.IsLinux() ? 0x80000 : 0x1000000;

    // These differ between processors on Linux.
    private static readonly bool HasOldFlags =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Armv6 or Architecture.Ppc64le;

    private static readonly int OnlyDirectory = OperatingSystem.IsMacOS() ? 0x100000 : HasOldFlags ? 0x4000 : 0x10000;
    private static readonly int NoFollow = OperatingSystem.IsMacOS() ? 0x100 : HasOldFlags ? 0x8000 : 0x20000;

    private readonly SafeFileHandle _handle;

    private UnixDirectory(SafeFileHandle handle, string path) => (_handle, Path) = (handle, path);

    public override string Path { get; }

    public static UnixDirectory OpenNamed(string path)
    {
        int descriptor = Open(path, OnlyDirectory | Search | CloseOnExec);
        return descriptor >= 0 ? new UnixDirectory(new SafeFileHandle(descriptor, ownsHandle: true), path) : throw Error(path);
    }

    public override UnixDirectory Make(HostEntryName name)
    {
        Check(MakeDirectoryAt(_handle, name.Terminated(), DirectoryMode), name);
        return Enter(name);
    }

    public override UnixDirectory Enter(HostEntryName name) =>
        new(OpenIn(name, OnlyDirectory | NoFollow | CloseOnExec, mode: 0), PathOf(name));

    public override bool HasDirectory(HostEntryName name)
    {
        try
        {
            Enter(name).Dispose();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public override FileStream CreateFile(HostEntryName name) =>
        new(OpenIn(name, WriteOnly | Create | Exclusive | NoFollow | CloseOnExec, FileMode), FileAccess.Write, bufferSize: 0);

    public override void CreateLink(HostEntryName name, HostEntryName target) => Check(LinkAt(target.Terminated(), _handle, name.Terminated()), name);

    public override void DeleteFile(HostEntryName name) => Check(UnlinkAt(_handle, name.Terminated(), flags: 0), name);

    public override void Finish(UnixFileMode? permissions, DateTime? modifiedUtc)
    {
        if (permissions is { } mode)
        {
            File.SetUnixFileMode(_handle, mode);
        }

        if (modifiedUtc is { } time)
        {
            File.SetLastWriteTimeUtc(_handle, time);
        }
    }

    public override void Dispose() => _handle.Dispose();

    private SafeFileHandle OpenIn(HostEntryName name, int flags, uint mode)
    {
        // What follows a function's named parameters is passed on the stack there, after eight that are not.
        bool isOnStack = OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        int descriptor = isOnStack ? OpenAt(_handle, name.Terminated(), flags, 0, 0, 0, 0, 0, mode) : OpenAt(_handle, name.Terminated(), flags, mode);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Error(PathOf(name));
    }

    private void Check(int result, HostEntryName name)
    {
        if (result != 0)
        {
            throw Error(PathOf(name));
        }
    }

    private static Exception Error(string target) => Error(Marshal.GetLastPInvokeError(), PrintableText.Escape(target));

    private static Exception Error(int code, string path) => code switch
    {
        EntryExists => new IOException($"'{path}' already exists"),
        EntryMissing => new DirectoryNotFoundException($"'{path}' does not exist"),
        NotADirectory => new IOException($"'{path}' is not a directory"),
        int error when error == TooManyLinks => new IOException($"'{path}' is a link, which is not followed"),
        AccessDenied or NotPermitted => new UnauthorizedAccessException($"access to '{path}' is denied"),
        int error => new IOException($"'{path}': {Marshal.GetPInvokeErrorMessage(error)}"),
    };

    private static int Open(string path, int flags) => OpenPath(CurrentDirectory, path, flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenPath(int directory, string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(SafeFileHandle directory, byte[] name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenAt(SafeFileHandle directory, byte[] name, int flags, int x3, int x4, int x5, int x6, int x7, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    private static partial int MakeDirectoryAt(SafeFileHandle directory, byte[] name, uint mode);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    private static partial int LinkAt(byte[] target, SafeFileHandle directory, byte[] name);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    private static partial int UnlinkAt(SafeFileHandle directory, byte[] name, int flags);
}
