namespace Qcow2Stream.FileSystems;

/// <summary>A guest has no volume with the given number.</summary>
public sealed class PartitionNotFoundException : GuestException
{
    internal PartitionNotFoundException(int number, PartitionTableKind table, IReadOnlyList<GuestVolume> volumes)
        : base(table == PartitionTableKind.None
            ? $"there is no partition {number}: the disk has no partition table ({GuestVolume.WholeDisk} is the disk as a whole)"
            : $"there is no partition {number}; the disk has {string.Join(", ", volumes)}")
    {
        Number = number;
        PartitionTable = table;
        Volumes = volumes;
    }

    /// <summary>The number that was asked for.</summary>
    public int Number { get; }

    /// <summary>The partition table that the guest has.</summary>
    public PartitionTableKind PartitionTable { get; }

    /// <summary>The volumes that exist.</summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }
}
