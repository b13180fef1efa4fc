using Qcow2Stream.FileSystems.Volumes;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>Finds the partition table of a disk, and lists its partitions.</summary>
internal static class PartitionTables
{
    private static readonly int[] SectorSizes = [BlockSource.DefaultSectorSize, 4096];

    /// <summary>
    /// Returns no table for a disk that has none, or one without partitions. What can't be read of a table never keeps the rest, or the disk as a
    /// whole, from being read: it is <see cref="DiskLayout.Fault"/>.
    /// </summary>
    public static DiskLayout Read(IBlockSource disk)
    {
        DiskLayout undivided = new(PartitionTableKind.None, disk.SectorSize, []);
        if (MasterBootRecord.IsProtective(disk))
        {
            return GuidTable.Read(disk, SectorSizes);
        }

        // The boot sector of a file system has the signature of a partition table, and its code may pass for entries.
        if (ContentKind.Of(disk).Name is "FAT" or "NTFS" or "exFAT")
        {
            return undivided;
        }

        DiskLayout[] layouts = [ReadBootRecord(disk), BsdLabel.ReadDisk(disk, BlockSource.DefaultSectorSize), AppleMap.Read(disk)];
        return layouts.FirstOrDefault(layout => layout.Kind != PartitionTableKind.None) ?? undivided with { Fault = layouts[0].Fault };
    }

    /// <summary>
    /// A boot record doesn't say how large the sectors are that it counts: larger ones are believed where something is found with them, and
    /// nothing with the usual ones.
    /// </summary>
    private static DiskLayout ReadBootRecord(IBlockSource disk)
    {
        DiskLayout[] layouts = [.. SectorSizes.Select(size => MasterBootRecord.Read(disk, size))];
        return layouts.FirstOrDefault(layout => layout.Partitions.Any(partition => HoldsSomething(disk, partition))) ?? layouts[0];
    }

    private static bool HoldsSomething(IBlockSource disk, Partition partition) =>
        ContentKind.Of(disk.Slice(partition.Start, partition.Length)) is { IsKnown: true, Name: not "empty" };
}
