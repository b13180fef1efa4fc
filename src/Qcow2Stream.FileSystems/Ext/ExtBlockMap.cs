using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>Where the blocks of a file are: an extent tree, or the older block pointers. Safe for several threads.</summary>
internal sealed class ExtBlockMap(ExtVolume volume, ExtInode inode)
{
    private const int EntryLength = 12;
    private const int MaxDepth = 5;
    private const ushort ExtentMagic = 0xF30A;
    private const int DirectPointers = 12;

    // Longer ones are allocated but were never written: they read as zeros.
    private const int MaxWrittenBlocks = 32768;

    private readonly TreeNodes _nodes = new(MaxDepth + 1, volume.ReadBlock);
    private readonly Lock _turn = new();

    /// <summary>Finds where a block is, and how many follow it there; block 0 for a hole.</summary>
    public (ulong Block, uint Count) Find(uint fileBlock)
    {
        lock (_turn)
        {
            return inode.HasExtents ? FindExtent(fileBlock) : FindPointer(fileBlock);
        }
    }

    private (ulong Block, uint Count) FindExtent(uint fileBlock)
    {
        ReadOnlySpan<byte> node = inode.Map;
        uint end = uint.MaxValue;
        for (int level = 0; level <= MaxDepth; level++)
        {
            int count = Short(node, 2);
            if (Short(node, 0) != ExtentMagic || (count + 1) * EntryLength > node.Length)
            {
                break;
            }

            bool isLeaf = Short(node, 6) == 0;
            int index = LastNotBehind(node, count, fileBlock);
            if (index < count)
            {
                end = Math.Min(end, FirstBlock(node, index + 1));
            }

            if (index == 0)
            {
                return (0, end - fileBlock);
            }

            ReadOnlySpan<byte> entry = node.Slice(index * EntryLength, EntryLength);
            if (isLeaf)
            {
                return InExtent(entry, fileBlock, end);
            }

            node = _nodes.Get(Long(entry, 4) | ((ulong)Short(entry, 8) << 32), Long(entry, 0));
        }

        throw new GuestException("its extent tree is damaged");
    }

    private static (ulong Block, uint Count) InExtent(ReadOnlySpan<byte> entry, uint fileBlock, uint end)
    {
        uint skipped = fileBlock - Long(entry, 0);
        int length = Short(entry, 4);
        bool isWritten = length <= MaxWrittenBlocks;
        uint count = (uint)(isWritten ? length : length - MaxWrittenBlocks);
        if (skipped >= count)
        {
            return (0, end - fileBlock);
        }

        ulong start = Long(entry, 8) | ((ulong)Short(entry, 6) << 32);
        return (isWritten ? start + skipped : 0, Math.Min(count - skipped, end - fileBlock));
    }

    /// <summary>The last entry, counted from 1, that starts at or before a block; 0 if none does.</summary>
    private static int LastNotBehind(ReadOnlySpan<byte> node, int count, uint fileBlock)
    {
        int low = 0;
        int high = count;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (FirstBlock(node, middle) <= fileBlock)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return low;
    }

    private static uint FirstBlock(ReadOnlySpan<byte> node, int index) => Long(node, index * EntryLength);

    private (ulong Block, uint Count) FindPointer(uint fileBlock)
    {
        uint perBlock = (uint)volume.BlockSize / sizeof(uint);
        if (fileBlock < DirectPointers)
        {
            return Run(inode.Map[..(DirectPointers * sizeof(uint))], fileBlock);
        }

        ulong index = fileBlock - DirectPointers;
        ulong covered = perBlock;
        for (int level = 1; level <= 3; level++)
        {
            if (index < covered)
            {
                uint start = fileBlock - (uint)index;
                return Descend(Long(inode.Map, (DirectPointers + level - 1) * sizeof(uint)), start, index, covered / perBlock, perBlock);
            }

            index -= covered;
            covered *= perBlock;
        }

        throw new GuestException("it is larger than its map can describe");
    }

    private (ulong Block, uint Count) Descend(ulong table, uint start, ulong index, ulong covered, uint perBlock)
    {
        while (table != 0)
        {
            ReadOnlySpan<byte> pointers = _nodes.Get(table, start);
            (ulong entry, index) = Math.DivRem(index, covered);
            start += (uint)(entry * covered);
            if (covered == 1)
            {
                return Run(pointers, (uint)entry);
            }

            table = Long(pointers, (int)entry * sizeof(uint));
            covered /= perBlock;
        }

        // A table that is not there is a hole over all that it would cover.
        return (0, (uint)Math.Min((covered * perBlock) - index, uint.MaxValue));
    }

    private static (ulong Block, uint Count) Run(ReadOnlySpan<byte> pointers, uint index)
    {
        uint first = Long(pointers, (int)index * sizeof(uint));
        uint count = 1;
        while ((index + count) * sizeof(uint) < pointers.Length
            && Long(pointers, (int)(index + count) * sizeof(uint)) == (first == 0 ? 0 : first + count))
        {
            count++;
        }

        return (first, count);
    }

    private static ushort Short(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]);

    private static uint Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);
}
