using DiscUtils.Partitions;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>
/// The boot record in a disk's first sector, with the chain of records that its extended partition is. What is taken for a partition, and for
/// which number, is as in Linux (block/partitions/msdos.c).
/// </summary>
internal sealed class MasterBootRecord
{
    private const int RecordLength = 512;
    private const int TableOffset = 0x1BE;
    private const int EntryCount = 4;
    private const int FirstLogicalNumber = 5;

    // The others of a logical partition's record hold junk on some disks.
    private const int ReliableEntries = 2;

    private readonly IBlockSource _disk;
    private readonly byte[] _record;
    private readonly int _sectorSize;
    private readonly List<Partition> _partitions = [];
    private int _nextNumber = FirstLogicalNumber;

    private MasterBootRecord(IBlockSource disk, byte[] record, int sectorSize) => (_disk, _record, _sectorSize) = (disk, record, sectorSize);

    /// <summary>Whether an entry says that the disk has a GPT: which of them, and what the others say, doesn't matter.</summary>
    public static bool IsProtective(IBlockSource disk) => ReadRecord(disk, 0) is { } record && AnyEntry(record, entry => entry.IsProtective);

    /// <summary>Lists the partitions of a disk; none if its first sector isn't a boot record.</summary>
    public static DiskLayout Read(IBlockSource disk, int sectorSize)
    {
        if (ReadRecord(disk, 0) is not { } record || AnyEntry(record, entry => !entry.IsPlausible))
        {
            return new DiskLayout(PartitionTableKind.None, sectorSize, []);
        }

        MasterBootRecord boot = new(disk, record, sectorSize);
        GuestException? fault = boot.ReadPartitions();
        return new DiskLayout(boot._partitions.Count > 0 ? PartitionTableKind.Mbr : PartitionTableKind.None, sectorSize, boot._partitions) { Fault = fault };
    }

    /// <summary>The primary partitions, then the logical ones, then what the slices of BSDs are divided into.</summary>
    /// <returns>What is wrong with a chain of records; null if nothing is.</returns>
    private GuestException? ReadPartitions()
    {
        GuestException? fault = null;
        for (int i = 0; i < EntryCount; i++)
        {
            MbrEntry entry = Entry(_record, i);
            if (entry.IsUsed && !entry.IsExtended)
            {
                _partitions.Add(PartitionOf(i + 1, entry, offset: 0));
            }
        }

        for (int i = 0; i < EntryCount; i++)
        {
            MbrEntry entry = Entry(_record, i);
            if (entry.IsUsed && entry.IsExtended)
            {
                fault = ReadLogical(entry.Start, entry.Sectors) ?? fault;
            }
        }

        for (int i = 0; i < EntryCount; i++)
        {
            MbrEntry entry = Entry(_record, i);
            if (entry.IsUsed && BsdLabel.IsSlice(entry.Type))
            {
                _partitions.AddRange(BsdLabel.ReadSlice(_disk, PartitionOf(i + 1, entry, offset: 0), _sectorSize, ref _nextNumber));
            }
        }

        return fault;
    }

    /// <summary>Each record has its partition, counted from itself, and the next record, counted from the first.</summary>
    private GuestException? ReadLogical(uint first, uint sectors)
    {
        HashSet<(long, long)> visited = [];
        (long at, long length) = (first, sectors);
        while (visited.Add((at, length)))
        {
            if (ReadRecord(_disk, at * _sectorSize) is not { } record)
            {
                return new GuestException($"the extended partition has no boot record at sector {at}");
            }

            for (int i = 0; i < EntryCount; i++)
            {
                MbrEntry entry = Entry(record, i);
                if (entry.IsUsed && !entry.IsExtended && (i < ReliableEntries || IsInside(entry, at, length, first, sectors))
                    && PartitionOf(_nextNumber, entry, at) is var partition && _partitions.TrueForAll(known => known.Start != partition.Start))
                {
                    _partitions.Add(partition);
                    _nextNumber++;
                }
            }

            if (visited.Count + _partitions.Count > DiskLayout.MaxPartitions)
            {
                return new GuestException($"the extended partition is divided further than Linux reads ({DiskLayout.MaxPartitions})");
            }

            // The first link counts; one that leads nowhere but back to the first record is none.
            int next = 0;
            while (next < EntryCount && Entry(record, next) is not { IsUsed: true, IsExtended: true, Start: > 0 })
            {
                next++;
            }

            if (next == EntryCount)
            {
                return null;
            }

            (at, length) = ((long)first + Entry(record, next).Start, Entry(record, next).Sectors);
        }

        return new GuestException($"the extended partition's boot records lead back to the one at sector {at}");
    }

    private static bool IsInside(MbrEntry entry, long record, long recordLength, long first, long sectors) =>
        (long)entry.Start + entry.Sectors <= recordLength && record + entry.Start + entry.Sectors <= first + sectors;

    private Partition PartitionOf(int number, MbrEntry entry, long offset) => Partition.Of(
        number, BiosPartitionTypes.ToString(entry.Type), offset + entry.Start, offset + entry.Start + entry.Sectors - 1, _sectorSize);

    private static bool AnyEntry(byte[] record, Func<MbrEntry, bool> predicate)
    {
        for (int i = 0; i < EntryCount; i++)
        {
            if (predicate(Entry(record, i)))
            {
                return true;
            }
        }

        return false;
    }

    private static MbrEntry Entry(ReadOnlySpan<byte> record, int index) => new(record[(TableOffset + (index * MbrEntry.Length))..]);

    /// <summary>Returns null where the disk has no boot record.</summary>
    private static byte[]? ReadRecord(IBlockSource disk, long offset)
    {
        byte[] record = new byte[RecordLength];
        return disk.ReadAt(offset, record) == RecordLength && record[^2] == 0x55 && record[^1] == 0xAA ? record : null;
    }
}
