namespace Qcow2Stream.FileSystems;

/// <summary>The kinds of partition tables.</summary>
public enum PartitionTableKind
{
    /// <summary>The disk has none, or one without partitions: it is one volume.</summary>
    None = 0,

    /// <summary>A master boot record, with its logical partitions.</summary>
    Mbr = 1,

    /// <summary>A GUID partition table, the primary or its backup.</summary>
    Gpt = 2,

    /// <summary>A BSD disklabel over the whole disk. (One in a partition of a master boot record adds to its partitions.)</summary>
    Bsd = 3,

    /// <summary>An Apple partition map.</summary>
    Apple = 4,
}
