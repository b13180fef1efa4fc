namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>What the guest mounts of a file system where.</summary>
/// <param name="Directory">Where, from the root.</param>
/// <param name="Subvolume">The name or the number of the subvolume; null for the default one.</param>
internal readonly record struct BtrfsMountLine(string Directory, string? Subvolume)
{
    public bool IsRoot => Directory == "/";
}
