using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A directory of the host as lines of text, in the form of <see cref="GuestTree"/>.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class HostTree
{
    public static List<string> Lines(string root) => [.. Below(root, "")
        .Select(path => Line(root + path, path))
        .OrderBy(GuestTree.PathOf, StringComparer.Ordinal)];

    /// <summary>The bytes that a file takes on its disk.</summary>
    public static long AllocatedBytes(string path)
    {
        using FileStream file = File.OpenRead(path);
        long allocated = 0;
        for (long at = 0; at < file.Length;)
        {
            long data = Seek(file.SafeFileHandle, at, SeekData);
            if (data < 0)
            {
                break;
            }

            at = Seek(file.SafeFileHandle, data, SeekHole);
            allocated += at - data;
        }

        return allocated;
    }

    private const int SeekData = 3;
    private const int SeekHole = 4;

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeHandle file, long offset, int whence);

    private static IEnumerable<string> Below(string root, string path)
    {
        foreach (FileSystemInfo info in new DirectoryInfo(root + path).EnumerateFileSystemInfos())
        {
            string child = $"{path}/{info.Name}";
            yield return child;
            if (info is DirectoryInfo { LinkTarget: null })
            {
                foreach (string below in Below(root, child))
                {
                    yield return below;
                }
            }
        }
    }

    private static string Line(string full, string path)
    {
        FileInfo file = new(full);
        if (file.LinkTarget is { } target)
        {
            return $"l - - - {target.Replace("%", "%25", StringComparison.Ordinal).Replace(" ", "%20", StringComparison.Ordinal)} {path}";
        }

        string mode = Convert.ToString((int)File.GetUnixFileMode(full), 8).PadLeft(4, '0');
        return Directory.Exists(full)
            ? $"d {mode} - - - {path}"
            : $"f {mode} {file.Length} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(full)))} - {path}";
    }
}
