using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Partitions;

namespace Qcow2Stream.FileSystems;

/// <summary>A disk of a guest, as its partition table divides it.</summary>
/// <remarks>Thread safety: every member may be called by any number of threads at once.</remarks>
public sealed class GuestDisk
{
    internal GuestDisk(
        int number, DiskSource disk, Func<GuestVolume, IEnumerable<IBlockSource>> siblings, GuestOptions options, CancellationToken cancellationToken)
    {
        Number = number;
        Length = disk.Length;
        DiskLayout layout = PartitionTables.Read(disk);
        PartitionTable = layout.Kind;
        PartitionTableFault = layout.Fault is { } fault
            ? new GuestException($"the partition table{(number == 1 ? "" : $" of disk {number}")} can't be read{(layout.Partitions.Count > 0 ? " whole" : "")}: {fault.Message}", fault)
            : null;
        List<GuestVolume> volumes = [];
        GuestVolume whole = new(disk, number, new Partition(GuestVolume.WholeDisk, "whole disk", 0, disk.Length), disk.SectorSize, siblings, options);

        // Discs that also boot from a stick have a partition table in front of their file system.
        if (layout.Kind == PartitionTableKind.None || whole.IsReadable)
        {
            volumes.Add(whole);
        }

        foreach (Partition partition in layout.Partitions)
        {
            cancellationToken.ThrowIfCancellationRequested();
            volumes.Add(new GuestVolume(disk, number, partition, layout.SectorSize, siblings, options));
        }

        Volumes = volumes.AsReadOnly();
    }

    /// <summary>Which of the guest's disks it is: 1 for the one that the guest was opened from, then those of <see cref="GuestOptions.OtherDisks"/>.</summary>
    public int Number { get; }

    /// <summary>How long it is, in bytes.</summary>
    public long Length { get; }

    /// <summary>The kind of partition table that it has.</summary>
    public PartitionTableKind PartitionTable { get; }

    /// <summary>
    /// What can't be read of the partition table; null if nothing is wrong. The partitions before the damage are <see cref="Volumes"/> nevertheless,
    /// or the disk as a whole if there are none.
    /// </summary>
    public GuestException? PartitionTableFault { get; }

    /// <summary>
    /// The partitions as the table lists them; the whole disk (<see cref="GuestVolume.WholeDisk"/>) if there is no table, and before
    /// them if the disk is also a file system itself, like a disc image that also boots from a USB stick.
    /// </summary>
    public IReadOnlyList<GuestVolume> Volumes { get; }
}
