namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>What the guest mounts of a file system where.</summary>
/// <param name="Directory">Where, from the root.</param>
/// <param name="Device">The device as the table names it.</param>
/// <param name="Subvolume">The path of the subvolume; null if the line says none.</param>
/// <param name="Number">Its number; null if the line says none. Without either it is the default subvolume.</param>
internal readonly record struct BtrfsMountLine(string Directory, string Device, string? Subvolume, ulong? Number)
{
    public bool IsRoot => Directory == "/";
}
