using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>
/// A BSD disklabel (disklabel(5)): how a slice, which is a partition of an MBR, is divided further, or a whole disk. What is taken for a
/// partition is as in Linux (block/partitions/msdos.c).
/// </summary>
internal static class BsdLabel
{
    private const uint Magic = 0x82564557;
    private const int SecondMagicOffset = 132;
    private const int CountOffset = 138;
    private const int EntriesOffset = 148;
    private const int EntryLength = 16;
    private const int MaxEntries = 16;
    private const int LabelLength = EntriesOffset + (MaxEntries * EntryLength);

    // The third partition, c, is the slice or the disk as a whole.
    private const int Whole = 2;

    private const byte FreeBsd = 0xA5;
    private const byte OpenBsd = 0xA6;
    private const byte NetBsd = 0xA9;

    // Where on a whole disk the label is: in the second sector, or in the first after its code.
    private static readonly int[] Places = [512, 64];

    private static readonly Dictionary<byte, string> Types = new()
    {
        [1] = "swap",
        [7] = "4.2BSD",
        [8] = "MSDOS",
        [9] = "4.4LFS",
        [12] = "ISO9660",
        [14] = "vinum",
        [17] = "ext2fs",
        [18] = "NTFS",
        [27] = "ZFS",
    };

    public static bool IsSlice(byte mbrType) => mbrType is FreeBsd or OpenBsd or NetBsd;

    /// <summary>The parts of a slice, but not the one that is the whole slice again. They follow the logical partitions' numbers.</summary>
    public static List<Partition> ReadSlice(IBlockSource disk, Partition slice, int sectorSize, ref int nextNumber)
    {
        List<Partition> partitions = [];
        byte[] label = new byte[LabelLength];
        if (disk.ReadAt(slice.Start + sectorSize, label) == LabelLength && IsLabel(label))
        {
            // FreeBSD counts from the start of the slice, the others from that of the disk.
            uint whole = Field(Entry(label, Whole), 4);
            long offset = whole == 0 ? slice.Start : 0;
            foreach ((_, string type, long start, long length) in Entries(label, sectorSize, offset))
            {
                if ((start, length) != (slice.Start, slice.Length) && start >= slice.Start && start + length <= slice.Start + slice.Length)
                {
                    partitions.Add(new Partition(nextNumber++, type, start, length));
                }
            }
        }

        return partitions;
    }

    /// <summary>A disk that is divided by nothing else. The numbers are those of the letters: a is 1.</summary>
    public static DiskLayout ReadDisk(IBlockSource disk, int sectorSize)
    {
        byte[] label = new byte[LabelLength];
        foreach (int place in Places)
        {
            if (disk.ReadAt(place, label) == LabelLength && IsLabel(label))
            {
                return new DiskLayout(PartitionTableKind.Bsd, sectorSize, [.. Entries(label, sectorSize, offset: 0).Where(p => p.Number != Whole + 1)]);
            }
        }

        return new DiskLayout(PartitionTableKind.None, sectorSize, []);
    }

    private static List<Partition> Entries(byte[] label, int sectorSize, long offset)
    {
        List<Partition> partitions = [];
        int count = Math.Min((int)BinaryPrimitives.ReadUInt16LittleEndian(label.AsSpan(CountOffset)), MaxEntries);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = Entry(label, i);
            byte type = entry[12];
            if (Field(entry, 0) is > 0 and var sectors && type != 0)
            {
                long start = Field(entry, 4) + (offset / sectorSize);
                partitions.Add(Partition.Of(
                    i + 1, $"BSD {(char)('a' + i)}: {Types.GetValueOrDefault(type, $"type {type}")}", start, start + sectors - 1, sectorSize));
            }
        }

        return partitions;
    }

    private static bool IsLabel(byte[] label) => Field(label, 0) == Magic && Field(label, SecondMagicOffset) == Magic;

    private static ReadOnlySpan<byte> Entry(byte[] label, int index) => label.AsSpan(EntriesOffset + (index * EntryLength), EntryLength);

    private static uint Field(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}
