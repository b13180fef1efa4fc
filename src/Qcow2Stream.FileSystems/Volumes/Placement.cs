namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>Where bytes of a volume lie in what is below it, and for how long that holds.</summary>
/// <param name="Source">What has them; null for zeros that are nowhere.</param>
/// <param name="Offset">Where they are in it.</param>
/// <param name="Length">For how many bytes that holds: at least 1.</param>
internal readonly record struct Placement(IBlockSource? Source, long Offset, long Length);
