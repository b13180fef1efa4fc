using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.HostFiles;

/// <summary>A regular file opened by its path, for reading, shared with readers and writers alike; no lock is taken.</summary>
internal sealed class PathHostFile : HandleHostFile
{
    private readonly SafeFileHandle _handle;

    private PathHostFile(string path, SafeFileHandle handle, object? identity)
        : base(path, handle, identity)
    {
        _handle = handle;
    }

    /// <summary>Opens the regular file <paramref name="path"/>; a pipe, a device or a directory is refused without blocking.</summary>
    /// <param name="path">The file.</param>
    /// <param name="displayPath">The name it goes by, where that is not the path it was found at.</param>
    /// <exception cref="IOException">It can't be opened, or isn't a regular file.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied.</exception>
    public static PathHostFile Open(string path, string? displayPath = null)
    {
        object? identity = null;
        SafeFileHandle handle = UnixFile.IsSupported ? UnixFile.OpenRegular(path, out identity)
            : WindowsFile.IsSupported ? WindowsFile.OpenRegular(path, out identity)
            : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        return new PathHostFile(displayPath ?? path, handle, identity ?? System.IO.Path.GetFullPath(path).ToUpperInvariant());
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _handle.Dispose();
        }
    }
}
