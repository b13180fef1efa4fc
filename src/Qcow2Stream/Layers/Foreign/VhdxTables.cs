using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>The regions of a VHDX: block allocation table and metadata ("[MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format").</summary>
internal static class VhdxTables
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;
    private const long RegionTable = 192 * KiB;
    private const int RegionTableLength = 64 * KiB;
    private const int MaxEntries = 2047;
    private const int EntryLength = 32;
    private const int MetadataEntries = 32;
    private const int MaxItemLength = MiB;
    private const uint IsUserItem = 1;
    private const int MaxBlockSize = 256 * MiB;

    // For each block that is stored, DiscUtils keeps its place in one list and the free space after it in another.
    private const int BytesPerStoredBlock = 128;

    private static readonly Guid BlockTable = new("2dc27766-f623-4200-9d64-115e9bfd4a08");
    private static readonly Guid Metadata = new("8b7ca206-4790-4b9a-b8fe-575f050f886e");
    private static readonly Guid FileParameters = new("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
    private static readonly Guid LogicalSectorSize = new("8141bf1d-a96f-4709-ba47-f233a8faab5f");
    private static readonly Guid ParentLocator = new("a8d35f2d-b30b-454d-abf7-d3d84834ab0c");

    public static void Judge(HostFile file, TableMemory memory)
    {
        Span<byte> signature = stackalloc byte[8];
        if (file.ReadAt(0, signature) < signature.Length || !signature.StartsWith("vhdxfile"u8))
        {
            return;
        }

        byte[] table = new byte[RegionTableLength];
        file.ReadAt(RegionTable, table);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(8));
        bool isTable = table.AsSpan().StartsWith("regi"u8) && count <= MaxEntries;

        // The log may write the table anew: what it would do is judged whether there is one now or not.
        (long Offset, long Length) metadata = default;
        for (int i = 0; isTable && i < count; i++)
        {
            int at = 16 + (i * EntryLength);
            ReadOnlySpan<byte> entry = table.AsSpan(at, EntryLength);
            Guid region = new(entry[..16]);
            long offset = BinaryPrimitives.ReadInt64LittleEndian(entry[16..]);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]);
            if (region == BlockTable)
            {
                memory.ChargeTable(offset, length, length, "the block allocation table", file, RegionTable + at);
                memory.Charge(StoredBlocks(file, offset, length) * BytesPerStoredBlock, "the list of stored blocks", file, offset);
            }
            else if (region == Metadata && metadata != default)
            {
                throw new Qcow2FormatException("its region table has two metadata regions", file.Path, hostOffset: RegionTable + at);
            }
            else if (region == Metadata)
            {
                memory.ChargeTable(offset, length, 0, "the metadata region", file, RegionTable + at);
                JudgeMetadata(file, offset, length);
                metadata = (offset, length);
            }
        }

        VhdxLog.Judge(file, memory, metadata.Offset, metadata.Length);
    }

    private static long StoredBlocks(HostFile file, long offset, long length)
    {
        const ulong Place = ~0xFFFFFUL;
        ulong[] words = new ulong[8 * KiB];
        long stored = 0;
        int read;
        for (long position = 0; position < length; position += read)
        {
            (bool isHole, long region) = file.GetRegion(offset + position, length - position);
            if (isHole)
            {
                read = (int)Math.Clamp(region & -sizeof(ulong), sizeof(ulong), int.MaxValue & -sizeof(ulong));
                continue;
            }

            Span<byte> bytes = MemoryMarshal.AsBytes(words.AsSpan());
            read = file.ReadAt(offset + position, bytes[..(int)Math.Min(bytes.Length, length - position)]);
            if (read == 0)
            {
                break;
            }

            foreach (ulong word in words.AsSpan(0, read / sizeof(ulong)))
            {
                ulong entry = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
                stored += (entry & Place) != 0 ? 1 : 0;
            }
        }

        return stored;
    }

    private static void JudgeMetadata(HostFile file, long offset, long length)
    {
        byte[] table = new byte[64 * KiB];
        int read = file.ReadAt(offset, table.AsSpan(0, (int)Math.Min(table.Length, length)));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(table.AsSpan(10));
        if (read < table.Length || count > MaxEntries)
        {
            return;
        }

        Dictionary<Guid, (long Offset, int Length)> items = [];
        for (int i = 0; i < count; i++)
        {
            int at = MetadataEntries + (i * EntryLength);
            ReadOnlySpan<byte> entry = table.AsSpan(at, EntryLength);
            uint itemOffset = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]);
            uint itemLength = BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]);
            if (itemLength > MaxItemLength || itemOffset > length - itemLength)
            {
                throw new Qcow2FormatException(
                    $"a metadata item of {itemLength} bytes at 0x{itemOffset:x} does not lie inside its region, or is longer than {MaxItemLength} bytes",
                    file.Path,
                    hostOffset: offset + at);
            }

            // As in DiscUtils the last of several counts.
            if ((BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]) & IsUserItem) == 0)
            {
                items[new Guid(entry[..16])] = (offset + itemOffset, (int)itemLength);
            }
        }

        foreach (Guid known in (ReadOnlySpan<Guid>)[FileParameters, LogicalSectorSize, ParentLocator])
        {
            if (items.TryGetValue(known, out (long Offset, int Length) item))
            {
                // DiscUtils reads a number whatever length its item has.
                byte[] value = new byte[Math.Max(item.Length, sizeof(uint))];
                file.ReadAt(item.Offset, value);
                JudgeItem(file, known, value, item.Offset);
            }
        }
    }

    private static void JudgeItem(HostFile file, Guid item, ReadOnlySpan<byte> value, long place)
    {
        if (item == ParentLocator)
        {
            JudgeLocator(file, value, place);
        }
        else if (item == FileParameters)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(value);
            if (!BitOperations.IsPow2(size) || size is < MiB or > MaxBlockSize)
            {
                throw new Qcow2FormatException(
                    $"the block size is {size}; it must be a power of two from {MiB} to {MaxBlockSize}", file.Path, hostOffset: place);
            }
        }
        else if (item == LogicalSectorSize)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(value);
            if (size is not (512 or 4096))
            {
                throw new Qcow2FormatException($"the logical sector size is {size}; it must be 512 or 4096", file.Path, hostOffset: place);
            }
        }
    }

    /// <summary>Keys and values may share their bytes: a small locator can describe gigabytes of text.</summary>
    private static void JudgeLocator(HostFile file, ReadOnlySpan<byte> locator, long place)
    {
        const int Entries = 20;
        const int LocatorEntryLength = 12;
        int count = locator.Length < Entries ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(locator[18..]);
        long text = 0;
        for (int i = 0; i < count && Entries + ((i + 1) * LocatorEntryLength) <= locator.Length; i++)
        {
            ReadOnlySpan<byte> entry = locator.Slice(Entries + (i * LocatorEntryLength), LocatorEntryLength);
            text += BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]) + BinaryPrimitives.ReadUInt16LittleEndian(entry[10..]);
        }

        if (text > MaxItemLength)
        {
            throw new Qcow2FormatException(
                $"the parent locator's keys and values have {text} bytes, more than {MaxItemLength}", file.Path, hostOffset: place);
        }
    }
}
