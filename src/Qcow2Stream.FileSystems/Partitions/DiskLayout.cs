namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>How a disk is divided.</summary>
/// <param name="Kind">The table that says so.</param>
/// <param name="SectorSize">The size of the sectors that the table counts, in bytes.</param>
/// <param name="Partitions">The partitions, as the table lists them.</param>
internal sealed record DiskLayout(PartitionTableKind Kind, int SectorSize, IReadOnlyList<Partition> Partitions)
{
    // A chain of logical partitions has no length of its own, and may loop; Linux stops at 256 too.
    public const int MaxPartitions = 256;
}
