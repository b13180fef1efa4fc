using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.FileSystems.Partitions;

/// <summary>A GUID partition table (UEFI, 5.3): the primary header, or the backup in the last sector if that is damaged.</summary>
internal sealed class GuidTable
{
    private const int HeaderSizeOffset = 12;
    private const int ChecksumOffset = 16;
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
    private readonly MasterBootRecord _boot;
    private readonly int _sectorSize;
    private readonly byte[] _primary;
    private readonly byte[] _backup;

    private GuidTable(IBlockSource disk, int sectorSize, MasterBootRecord boot)
    {
        (_disk, _sectorSize, _boot) = (disk, sectorSize, boot);
        _primary = Sector(sectorSize);
        _backup = Sector((disk.Length / sectorSize * sectorSize) - sectorSize);
    }

    /// <summary>Returns null if there is none: no header, or only a backup that the boot record does not refer to.</summary>
    public static GuidTable? Find(IBlockSource disk, int sectorSize, MasterBootRecord boot)
    {
        GuidTable table = new(disk, sectorSize, boot);
        return IsHeader(table._primary) || (IsHeader(table._backup) && boot.IsProtective) ? table : null;
    }

    /// <summary>The partitions. A partition's number is that of its entry, counted from 1, as Linux has it, whatever entries are in use.</summary>
    /// <exception cref="GuestException">Both headers, or their entries, are damaged.</exception>
    public List<Partition> ReadPartitions()
    {
        if (!_boot.IsOnlyProtective)
        {
            throw new GuestException("Invalid GPT disk, protective MBR table is not valid");
        }

        byte[] header = _primary;
        byte[] entries = EntriesOf(header) ?? EntriesOf(header = _backup)
            ?? throw new GuestException("No valid GUID Partition Table found");
        int size = (int)Field(header, EntrySizeOffset);
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

    /// <summary>The array of entries that a header leads to; null if it or its header is damaged.</summary>
    private byte[]? EntriesOf(byte[] header)
    {
        uint headerSize = Field(header, HeaderSizeOffset);
        if (!IsHeader(header) || headerSize < MinHeaderSize || headerSize > header.Length)
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
                ? entries
                : null;
    }

    private static bool IsHeader(ReadOnlySpan<byte> sector) => sector.StartsWith("EFI PART"u8);

    private static uint Field(ReadOnlySpan<byte> header, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(header[offset..]);

    /// <summary>A sector; zeros where the disk has none.</summary>
    private byte[] Sector(long offset)
    {
        byte[] sector = new byte[_sectorSize];
        return offset > 0 && _disk.ReadAt(offset, sector) == sector.Length ? sector : new byte[_sectorSize];
    }
}
