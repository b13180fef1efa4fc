using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>A GUID partition table (UEFI, 5.3): the primary header, or the backup in the last sector if that is damaged.</summary>
internal sealed class GuidTable
{
    private const int HeaderSizeOffset = 12;
    private const int ChecksumOffset = 16;
    private const int OwnSectorOffset = 24;
    private const int EntriesOffset = 72;
    private const int EntryCountOffset = 80;
    private const int EntrySizeOffset = 84;
    private const int EntriesChecksumOffset = 88;
    private const int MinHeaderSize = 92;

    private const int FirstSectorOffset = 32;
    private const int LastSectorOffset = 40;
    private const int NameOffset = 56;
    private const int MinEntrySize = 128;

    // The array is read at once.
    private const int MaxEntryArray = 1 << 20;

    private readonly IBlockSource _disk;
    private readonly int _sectorSize;

    private GuidTable(IBlockSource disk, int sectorSize) => (_disk, _sectorSize) = (disk, sectorSize);

    /// <summary>
    /// The partitions by the first table that is intact, the primary ones first. A partition's number is that of its entry, counted from 1, as
    /// Linux has it, whatever entries are in use.
    /// </summary>
    /// <param name="disk">A disk whose boot record says that it has a GPT.</param>
    /// <param name="sectorSizes">What its sectors may be, in bytes: it isn't said anywhere.</param>
    public static DiskLayout Read(IBlockSource disk, IReadOnlyList<int> sectorSizes)
    {
        foreach (bool isBackup in (bool[])[false, true])
        {
            foreach (int sectorSize in sectorSizes)
            {
                GuidTable table = new(disk, sectorSize);
                long header = isBackup ? (disk.Length / sectorSize) - 1 : 1;
                if (table.EntriesOf(header) is var (entries, size))
                {
                    return new DiskLayout(PartitionTableKind.Gpt, sectorSize, table.PartitionsOf(entries, size));
                }
            }
        }

        return new DiskLayout(PartitionTableKind.None, disk.SectorSize, [])
        {
            Fault = new GuestException("the boot record says that there is a GPT, but neither its header nor the backup in the last sector is valid"),
        };
    }

    private List<Partition> PartitionsOf(byte[] entries, int size)
    {
        List<Partition> partitions = [];
        for (int at = 0; at < entries.Length && partitions.Count < DiskLayout.MaxPartitions; at += size)
        {
            ReadOnlySpan<byte> entry = entries.AsSpan(at, size);
            if (new Guid(entry[..16]) is var type && type != Guid.Empty)
            {
                partitions.Add(PartitionOf((at / size) + 1, type, entry));
            }
        }

        return partitions;
    }

    private Partition PartitionOf(int number, Guid type, ReadOnlySpan<byte> entry)
    {
        string name = Encoding.Unicode.GetString(entry[NameOffset..MinEntrySize]).TrimEnd('\0');
        return Partition.Of(
            number,
            name.Length == 0 ? GuidTypes.NameOf(type) : $"{GuidTypes.NameOf(type)} \"{name}\"",
            BinaryPrimitives.ReadInt64LittleEndian(entry[FirstSectorOffset..]),
            BinaryPrimitives.ReadInt64LittleEndian(entry[LastSectorOffset..]),
            _sectorSize);
    }

    /// <summary>The array of entries that a header leads to, and the size of each; null if it or its header is damaged.</summary>
    private (byte[] Entries, int Size)? EntriesOf(long sector)
    {
        byte[] header = new byte[_sectorSize];
        if (sector < 1 || _disk.ReadAt(sector * _sectorSize, header) < _sectorSize || !header.AsSpan().StartsWith("EFI PART"u8))
        {
            return null;
        }

        uint headerSize = Field(header, HeaderSizeOffset);
        if (headerSize < MinHeaderSize || headerSize > _sectorSize || BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(OwnSectorOffset)) != sector)
        {
            return null;
        }

        byte[] summed = header[..(int)headerSize];
        summed.AsSpan(ChecksumOffset, sizeof(uint)).Clear();
        (uint count, uint size) = (Field(header, EntryCountOffset), Field(header, EntrySizeOffset));
        if (Crc32.Of(summed) != Field(header, ChecksumOffset) || (ulong)count * size > MaxEntryArray || size < MinEntrySize)
        {
            return null;
        }

        byte[] entries = new byte[count * size];
        ulong start = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(EntriesOffset));
        return start < (ulong)(_disk.Length / _sectorSize)
            && _disk.ReadAt((long)start * _sectorSize, entries) == entries.Length
            && Crc32.Of(entries) == Field(header, EntriesChecksumOffset)
                ? (entries, (int)size)
                : null;
    }

    private static uint Field(ReadOnlySpan<byte> header, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(header[offset..]);
}
