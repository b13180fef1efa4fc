using Qcow2Stream.FileSystems.Entries;
using Qcow2Stream.FileSystems.Volumes;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>Finds the partition table of a disk, GPT or MBR, and lists its partitions.</summary>
internal static class PartitionTables
{
    private static readonly int[] SectorSizes = [BlockSource.DefaultSectorSize, 4096];

    /// <summary>Returns no table for a disk that has none, or one without partitions.</summary>
    /// <exception cref="GuestException">The table can't be read.</exception>
    public static DiskLayout Read(IBlockSource disk)
    {
        DiskLayout undivided = new(PartitionTableKind.None, disk.SectorSize, []);
        if (MasterBootRecord.Read(disk) is not { } boot)
        {
            return undivided;
        }

        foreach (int sectorSize in SectorSizes)
        {
            if (GuidTable.Find(disk, sectorSize, boot) is { } gpt)
            {
                return new DiskLayout(PartitionTableKind.Gpt, sectorSize, Named("GPT", gpt.ReadPartitions));
            }
        }

        // The boot sector of a file system has the signature of a partition table, and its code may pass for entries.
        if (ContentKind.Of(disk).Name is "FAT" or "NTFS" or "exFAT")
        {
            return undivided;
        }

        List<Partition> partitions = Named("MBR", () => boot.ReadPartitions(BlockSource.DefaultSectorSize));
        return partitions.Count > 0 ? new DiskLayout(PartitionTableKind.Mbr, BlockSource.DefaultSectorSize, partitions) : undivided;
    }

    private static List<Partition> Named(string table, Func<List<Partition>> read)
    {
        try
        {
            return ReaderErrors.Call(read);
        }
        catch (GuestException e)
        {
            throw new GuestException($"the partition table ({table}) can't be read: {e.Message}", e);
        }
    }
}
