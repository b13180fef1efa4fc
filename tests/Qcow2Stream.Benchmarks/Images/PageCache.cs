using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.Benchmarks.Images;

/// <summary>What the system keeps in memory of a file.</summary>
internal static partial class PageCache
{
    private const int DontNeed = 4;

    /// <summary>
    /// Writes a file to disk and out of memory. Pages that came there by writing are kept in larger or smaller pieces, as
    /// the writing program went about it, which makes reading faster or slower by half; read again, all files are alike.
    /// </summary>
    public static void Drop(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(file);
        if (OperatingSystem.IsLinux())
        {
            _ = Advise(file, 0, 0, DontNeed);
        }
    }

    /// <summary>Brings a file into memory from disk, front to back: files that are to be compared are then kept alike.</summary>
    public static void Load(string path)
    {
        Drop(path);
        using SafeFileHandle file = File.OpenHandle(path);
        byte[] buffer = new byte[1 << 20];
        for (long position = 0; RandomAccess.Read(file, buffer, position) is > 0 and int read; position += read)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
