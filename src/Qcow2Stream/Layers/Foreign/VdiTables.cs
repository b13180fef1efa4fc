using System.Buffers.Binary;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>The block map of a VDI, of versions 0 and 1.1 of the format.</summary>
internal static class VdiTables
{
    private const int Signature = 64;
    private const int Version = 68;
    private const int Header = 72;
    private const int Version0HeaderLength = 348;
    private const int MaxHeaderLength = 4096;

    // An entry as it is read, and the same as a number.
    private const int BytesPerBlock = 8;

    public static void Judge(HostFile file, TableMemory memory)
    {
        Span<byte> start = stackalloc byte[Sector.Size];
        if (file.ReadAt(0, start) < start.Length || BinaryPrimitives.ReadUInt32LittleEndian(start[Signature..]) != 0xBEDA107F)
        {
            throw new Qcow2FormatException("the signature of a VDI is missing", file.Path, hostOffset: Signature);
        }

        bool isVersion0 = BinaryPrimitives.ReadUInt32LittleEndian(start[Version..]) >> 16 == 0;
        uint headerLength = isVersion0 ? Version0HeaderLength : BinaryPrimitives.ReadUInt32LittleEndian(start[Header..]);
        if (headerLength > MaxHeaderLength)
        {
            throw new Qcow2FormatException($"the header would take {headerLength} bytes, more than {MaxHeaderLength}", file.Path, hostOffset: Header);
        }

        int blockSizeAt = Header + (isVersion0 ? 288 : 304);
        int blockCountAt = Header + (isVersion0 ? 292 : 312);
        int blockSize = BinaryPrimitives.ReadInt32LittleEndian(start[blockSizeAt..]);
        if (blockSize <= 0)
        {
            throw new Qcow2FormatException($"the block size is {blockSize}; it must be more than 0", file.Path, hostOffset: blockSizeAt);
        }

        long blocks = BinaryPrimitives.ReadUInt32LittleEndian(start[blockCountAt..]);
        long mapOffset = isVersion0 ? Header + Version0HeaderLength : BinaryPrimitives.ReadUInt32LittleEndian(start[(Header + 268)..]);
        memory.ChargeTable(mapOffset, blocks * sizeof(uint), blocks * BytesPerBlock, $"the block map of {blocks} entries", file, blockCountAt);
    }
}
