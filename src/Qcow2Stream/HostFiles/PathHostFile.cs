using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.HostFiles;

/// <summary>A regular file opened by its path, for reading, shared with readers and writers alike; no lock is taken.</summary>
internal sealed class PathHostFile : HandleHostFile
{
    private readonly SafeFileHandle _handle;

    private PathHostFile(string path, SafeFileHandle handle, object? identity, bool hasDirectory)
        : base(path, handle, identity, hasDirectory)
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
        bool hasDirectory = true;
        SafeFileHandle handle = UnixFile.IsSupported ? UnixFile.OpenRegular(path, out identity, out hasDirectory)
            : WindowsFile.IsSupported ? WindowsFile.OpenRegular(path, out identity)
            : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        return new PathHostFile(displayPath ?? path, handle, identity ?? System.IO.Path.GetFullPath(path).ToUpperInvariant(), hasDirectory);
    }

    /// <summary>
    /// Opens a regular file below a directory, by a path that passes no link: where the system can, it makes sure of both as it opens it.
    /// </summary>
    /// <param name="root">The directory, which may itself be reached over links.</param>
    /// <param name="relative">The path from there on: one that stays below it, and was found to pass no link.</param>
    /// <param name="displayPath">The name that the file goes by.</param>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static PathHostFile OpenBelow(string root, string relative, string displayPath)
    {
        if (!UnixFile.IsSupported)
        {
            return Open(System.IO.Path.Combine(root, relative), displayPath);
        }

        SafeFileHandle handle = UnixFile.OpenBelow(root, relative, out object? identity);
        return new PathHostFile(displayPath, handle, identity, hasDirectory: true);
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
