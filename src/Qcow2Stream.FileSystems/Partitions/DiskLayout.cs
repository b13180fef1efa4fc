namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>How a disk is divided.</summary>
/// <param name="Kind">The table that says so.</param>
/// <param name="SectorSize">The size of the sectors that the table counts, in bytes.</param>
/// <param name="Partitions">The partitions, as the table lists them; those before the damage if there is any.</param>
internal sealed record DiskLayout(PartitionTableKind Kind, int SectorSize, IReadOnlyList<Partition> Partitions)
{
    // A chain of logical partitions has no length of its own; Linux stops at 256 too.
    public const int MaxPartitions = 256;

    /// <summary>What can't be read of the table; null if nothing is wrong.</summary>
    public GuestException? Fault { get; init; }
}
