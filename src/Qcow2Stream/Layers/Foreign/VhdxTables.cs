using System.Buffers.Binary;
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
    private const uint IsRequired = 1;

    // For each block that is stored, DiscUtils keeps its place in one list and the free space after it in another.
    private const int BytesPerStoredBlock = 128;

    private static readonly Guid BlockTable = new("2dc27766-f623-4200-9d64-115e9bfd4a08");
    private static readonly Guid Metadata = new("8b7ca206-4790-4b9a-b8fe-575f050f886e");

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
                VhdxMetadata.Judge(file, offset, length);
                metadata = (offset, length);
            }
            else if ((BinaryPrimitives.ReadUInt32LittleEndian(entry[28..]) & IsRequired) != 0)
            {
                throw new Qcow2UnsupportedException(
                    "region in format vhdx", $"the image has a region that readers have to know, and this one doesn't: {region}", file.Path, RegionTable + at);
            }
        }

        if (isTable && metadata == default)
        {
            throw new Qcow2FormatException("its region table has no metadata region", file.Path, hostOffset: RegionTable);
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
}
