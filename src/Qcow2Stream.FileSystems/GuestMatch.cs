namespace Qcow2Stream.FileSystems;

/// <summary>Where a path was found. Disposing it closes the file system, and with it the entry.</summary>
/// <remarks>It belongs to one user at a time, as its file system does.</remarks>
public sealed class GuestMatch : IDisposable
{
    internal GuestMatch(GuestVolume volume, GuestFileSystem fileSystem, GuestEntry entry)
    {
        Volume = volume;
        FileSystem = fileSystem;
        Entry = entry;
    }

    /// <summary>The volume.</summary>
    public GuestVolume Volume { get; }

    /// <summary>The file system on it, which is open.</summary>
    public GuestFileSystem FileSystem { get; }

    /// <summary>What the path names; never a symbolic link, as these are followed.</summary>
    public GuestEntry Entry { get; }

    /// <summary>Closes the file system.</summary>
    public void Dispose() => FileSystem.Dispose();
}
