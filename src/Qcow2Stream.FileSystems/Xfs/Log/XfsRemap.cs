namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>Blocks that a file gets, or loses: what the guest had logged to do, and does when it mounts the file system again.</summary>
/// <param name="FileBlock">The first, in the file.</param>
/// <param name="Count">How many.</param>
/// <param name="Block">The first on the volume; null for a hole, and for blocks that were never written.</param>
internal readonly record struct XfsRemap(ulong FileBlock, ulong Count, ulong? Block)
{
    public ulong End => FileBlock + Count;
}
