using DiscUtils.Partitions;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>The boot record in a disk's first sector, with the chain of records that its extended partition is.</summary>
internal sealed class MasterBootRecord
{
    private const int RecordLength = 512;
    private const int TableOffset = 0x1BE;
    private const int EntryCount = 4;
    private const byte GptProtective = 0xEE;
    private const int FirstLogicalNumber = 5;

    private readonly IBlockSource _disk;
    private readonly byte[] _record;

    private MasterBootRecord(IBlockSource disk, byte[] record) => (_disk, _record) = (disk, record);

    /// <summary>Whether an entry says that the disk has a GPT.</summary>
    public bool IsProtective => Enumerable.Range(0, EntryCount).Any(i => Entry(_record, i).Type == GptProtective);

    /// <summary>Whether it says nothing else.</summary>
    public bool IsOnlyProtective => Enumerable.Range(0, EntryCount).All(i => Entry(_record, i) is { IsUsed: false } or { Type: GptProtective }) && IsProtective;

    /// <summary>Returns null for a disk whose first sector is not one.</summary>
    public static MasterBootRecord? Read(IBlockSource disk)
    {
        byte[] record = new byte[RecordLength];
        return disk.ReadAt(0, record) == RecordLength && HasSignature(record) ? new MasterBootRecord(disk, record) : null;
    }

    /// <exception cref="GuestException">A record of the chain isn't one.</exception>
    public List<Partition> ReadPartitions(int sectorSize)
    {
        List<Partition> partitions = [];
        int nextLogical = FirstLogicalNumber;
        for (int i = 0; i < EntryCount && partitions.Count < DiskLayout.MaxPartitions; i++)
        {
            MbrEntry entry = Entry(_record, i);
            if (entry.IsUsed && entry.IsExtended)
            {
                ReadLogical(partitions, entry.Start, sectorSize, ref nextLogical);
            }
            else if (entry.IsUsed)
            {
                partitions.Add(PartitionOf(i + 1, entry, offset: 0, sectorSize));
            }
        }

        return partitions;
    }

    /// <summary>Each record has its partition, counted from itself, and the next record, counted from the first.</summary>
    private void ReadLogical(List<Partition> partitions, uint first, int sectorSize, ref int nextLogical)
    {
        byte[] record = new byte[RecordLength];
        long at = first;
        for (int records = 0; at != 0 && records < DiskLayout.MaxPartitions; records++)
        {
            _disk.ReadExactly(at * sectorSize, record);
            if (!HasSignature(record))
            {
                throw new GuestException("Invalid extended partition sector");
            }

            long next = 0;
            for (int i = 0; i < EntryCount && partitions.Count < DiskLayout.MaxPartitions; i++)
            {
                MbrEntry entry = Entry(record, i);
                if (entry.HasStart && entry.IsExtended)
                {
                    next = (long)first + entry.Start;
                }
                else if (entry.HasStart && entry.IsUsed)
                {
                    partitions.Add(PartitionOf(nextLogical++, entry, at, sectorSize));
                }
            }

            at = next;
        }
    }

    private static Partition PartitionOf(int number, MbrEntry entry, long offset, int sectorSize) => Partition.Of(
        number, BiosPartitionTypes.ToString(entry.Type), offset + entry.Start, offset + entry.Start + entry.Sectors - 1, sectorSize);

    private static MbrEntry Entry(ReadOnlySpan<byte> record, int index) => new(record[(TableOffset + (index * MbrEntry.Length))..]);

    private static bool HasSignature(ReadOnlySpan<byte> record) => record[^2] == 0x55 && record[^1] == 0xAA;
}
