using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>Where the blocks of a file are: an extent tree, or the older block pointers. Safe for several threads.</summary>
internal sealed class ExtBlockMap(ExtVolume volume, ExtInode inode)
{
    private const int DirectPointers = 12;

    private readonly TreeNodes _nodes = new(ExtLayout.Extent.MaxDepth + 1, block => Read(volume, inode, block));
    private readonly Lock _turn = new();
    private bool _isJudged;

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
        if (!_isJudged)
        {
            Judge(node, "its extent tree is damaged");
            _isJudged = true;
        }

        uint end = uint.MaxValue;
        for (int depth = Short(node, ExtLayout.Extent.Depth); ; depth--)
        {
            int count = Short(node, ExtLayout.Extent.Entries);
            int index = LastNotBehind(node, count, fileBlock);
            if (index < count)
            {
                end = Math.Min(end, FirstBlock(node, index + 1));
            }

            if (index == 0)
            {
                return (0, end - fileBlock);
            }

            ReadOnlySpan<byte> entry = Entry(node, index);
            if (depth == 0)
            {
                return InExtent(entry, fileBlock, end);
            }

            ulong block = Long(entry, ExtLayout.Extent.Node) | ((ulong)Short(entry, ExtLayout.Extent.NodeHigh) << 32);
            node = _nodes.Get(block, Long(entry, ExtLayout.Extent.FileBlock));
            if (Short(node, ExtLayout.Extent.Depth) != depth - 1)
            {
                throw new GuestException($"its extent tree is damaged in block {block}");
            }
        }
    }

    private static byte[] Read(ExtVolume volume, ExtInode inode, ulong block)
    {
        byte[] node = volume.ReadBlock(block);
        if (inode.HasExtents)
        {
            Judge(node, $"its extent tree is damaged in block {block}");
            if (inode.ChecksumSeed is { } seed && !ExtChecksum.IsRightNode(seed, node))
            {
                throw new GuestException($"its extent tree is damaged in block {block}: the checksum is wrong");
            }
        }

        return node;
    }

    /// <summary>Looks whether a node is one: entries that it has room for, in order, none over another.</summary>
    private static void Judge(ReadOnlySpan<byte> node, string damage)
    {
        int count = Short(node, ExtLayout.Extent.Entries);
        int depth = Short(node, ExtLayout.Extent.Depth);
        int most = Short(node, ExtLayout.Extent.MaxEntries);
        bool isRight = Short(node, 0) == ExtLayout.Extent.Magic && depth <= ExtLayout.Extent.MaxDepth && count <= most
            && (most + 1) * ExtLayout.Extent.EntryLength <= node.Length && (count > 0 || depth == 0);
        ulong end = 0;
        for (int index = 1; isRight && index <= count; index++)
        {
            uint length = depth == 0 ? LengthOf(Entry(node, index)) : 1;
            isRight = FirstBlock(node, index) >= end && length > 0;
            end = (ulong)FirstBlock(node, index) + length;
        }

        if (!isRight || end > (ulong)uint.MaxValue + 1)
        {
            throw new GuestException(damage);
        }
    }

    private static uint LengthOf(ReadOnlySpan<byte> extent) => Short(extent, ExtLayout.Extent.BlockCount) is <= ExtLayout.Extent.MaxWrittenBlocks and var length
        ? length
        : (uint)(Short(extent, ExtLayout.Extent.BlockCount) - ExtLayout.Extent.MaxWrittenBlocks);

    private static (ulong Block, uint Count) InExtent(ReadOnlySpan<byte> entry, uint fileBlock, uint end)
    {
        uint skipped = fileBlock - Long(entry, ExtLayout.Extent.FileBlock);
        uint count = LengthOf(entry);
        if (skipped >= count)
        {
            return (0, end - fileBlock);
        }

        bool isWritten = Short(entry, ExtLayout.Extent.BlockCount) <= ExtLayout.Extent.MaxWrittenBlocks;
        ulong start = Long(entry, ExtLayout.Extent.Block) | ((ulong)Short(entry, ExtLayout.Extent.BlockHigh) << 32);
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

    private static uint FirstBlock(ReadOnlySpan<byte> node, int index) => Long(Entry(node, index), ExtLayout.Extent.FileBlock);

    private static ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> node, int index) =>
        node.Slice(index * ExtLayout.Extent.EntryLength, ExtLayout.Extent.EntryLength);

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
