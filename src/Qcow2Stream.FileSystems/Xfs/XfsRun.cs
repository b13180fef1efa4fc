namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>Blocks of a file that follow each other on the volume, or a hole.</summary>
/// <param name="FileBlock">The first, in the file.</param>
/// <param name="Count">How many; one or more.</param>
/// <param name="Block">The first on the volume; null for a hole, and for blocks that were never written.</param>
internal readonly record struct XfsRun(ulong FileBlock, ulong Count, ulong? Block);
