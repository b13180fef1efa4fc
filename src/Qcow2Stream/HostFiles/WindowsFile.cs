using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Shared;

namespace Qcow2Stream.HostFiles;

/// <summary>What .NET does not offer on Windows: the kind and identity of an open file. Everything that depends on that system is in this file.</summary>
internal static partial class WindowsFile
{
    private const int Disk = 1;
    private const int FileIdInfo = 18;

    [SupportedOSPlatformGuard("windows")]
    public static bool IsSupported => OperatingSystem.IsWindows();

    /// <summary>Opens for reading, looks at what was opened, and gives it up unless it is a file of a disk.</summary>
    public static SafeFileHandle OpenRegular(string path, out object? identity)
    {
        SafeFileHandle handle = File.OpenHandle(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        try
        {
            identity = GetIdentity(handle);
            return GetFileType(handle) == Disk ? handle : throw new IOException($"'{PrintableText.Escape(path)}' is not a regular file");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>What distinguishes an open file from every other, whatever its name; null where its file system can't say.</summary>
    public static object? GetIdentity(SafeFileHandle handle) =>
        GetFileInformationByHandleEx(handle, FileIdInfo, out FileId id, Marshal.SizeOf<FileId>()) ? id : null;

    [LibraryImport("kernel32")]
    private static partial int GetFileType(SafeFileHandle handle);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetFileInformationByHandleEx(SafeFileHandle handle, int kind, out FileId id, int size);

    // FILE_ID_INFO.
    private readonly record struct FileId(ulong Volume, ulong Low, ulong High);
}
