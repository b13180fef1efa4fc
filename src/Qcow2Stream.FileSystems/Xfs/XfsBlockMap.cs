using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Xfs.Log;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>Where the blocks of a file are: a list of extents in the inode, or a tree of them ("Data Extents"). Safe for several threads.</summary>
internal sealed class XfsBlockMap
{
    /// <summary>One past the last block that a file can have.</summary>
    public const ulong End = 1ul << 54;

    // That of a file of 2^54 blocks is no deeper.
    private const int MaxLevel = 8;

    private readonly XfsVolume _volume;
    private readonly XfsInode _inode;
    private readonly XfsRemaps? _remaps;
    private readonly TreeNodes _nodes;
    private readonly Lock _turn = new();

    public XfsBlockMap(XfsVolume volume, XfsInode inode)
    {
        (_volume, _inode, _remaps) = (volume, inode, volume.RemapsOf(inode.Number));
        _nodes = new TreeNodes(MaxLevel + 1, ReadNode);
        bool isList = inode.Format == XfsForkFormat.Extents && inode.ExtentCount <= (ulong)(inode.Fork.Length / XfsLayout.Extent.Length);
        if (isList ? !AreRight(List) : inode.Format != XfsForkFormat.Tree)
        {
            throw new GuestException("its list of extents is damaged");
        }
    }

    private ReadOnlySpan<byte> List => _inode.Fork.Span[..((int)_inode.ExtentCount * XfsLayout.Extent.Length)];

    private int NodeHeader => _volume.IsChecked ? XfsLayout.Tree.Header : XfsLayout.Tree.OldHeader;

    /// <summary>Finds where a block is, and how many follow it there.</summary>
    public XfsRun Find(ulong fileBlock) => FindStored(fileBlock) is var run && _remaps is not null ? _remaps.Over(run) : run;

    private XfsRun FindStored(ulong fileBlock)
    {
        if (_inode.Format == XfsForkFormat.Extents)
        {
            return FindIn(List, fileBlock, End);
        }

        lock (_turn)
        {
            return Descend(fileBlock);
        }
    }

    private XfsRun Descend(ulong fileBlock)
    {
        ReadOnlySpan<byte> root = _inode.Fork.Span;
        int level = Short(root, XfsLayout.Tree.RootLevel);
        int count = Short(root, XfsLayout.Tree.RootCount);
        ReadOnlySpan<byte> entries = root[XfsLayout.Tree.RootHeader..];
        ulong end = End;
        if (level is 0 or > MaxLevel || !AreKeys(entries, count))
        {
            throw Damaged();
        }

        while (true)
        {
            (ulong place, ulong block) = Choose(entries, count, fileBlock, ref end);
            if (block == 0)
            {
                return new XfsRun(fileBlock, end - fileBlock, null);
            }

            ReadOnlySpan<byte> node = _nodes.Get(block, place);
            level--;
            count = Short(node, XfsLayout.Tree.Count);
            entries = node[NodeHeader..];
            if (Short(node, XfsLayout.Tree.Level) != level || (level == 0 ? OffsetOf(entries) : Quad(entries, 0)) != place)
            {
                throw Damaged();
            }

            if (level == 0)
            {
                return FindIn(entries[..(count * XfsLayout.Extent.Length)], fileBlock, end);
            }
        }
    }

    /// <summary>Chooses the node below which a block is: keys stand first, as many as there is room for, then the nodes' places.</summary>
    /// <returns>The first block of the node, and where it is; 0 if the block is before all.</returns>
    private static (ulong Place, ulong Block) Choose(ReadOnlySpan<byte> entries, int count, ulong fileBlock, ref ulong end)
    {
        int room = RoomFor(entries);
        int index = LastNotBehind(entries, XfsLayout.Tree.KeyLength, count, fileBlock, shift: 0);
        if (index < count)
        {
            end = Math.Min(end, Quad(entries, index * XfsLayout.Tree.KeyLength));
        }

        return index == 0
            ? (0, 0)
            : (Quad(entries, (index - 1) * XfsLayout.Tree.KeyLength), Quad(entries, (room * XfsLayout.Tree.KeyLength) + ((index - 1) * XfsLayout.Tree.PointerLength)));
    }

    private static XfsRun FindIn(ReadOnlySpan<byte> extents, ulong fileBlock, ulong end)
    {
        int count = extents.Length / XfsLayout.Extent.Length;
        int index = LastNotBehind(extents, XfsLayout.Extent.Length, count, fileBlock, XfsLayout.Extent.OffsetShift);
        if (index < count)
        {
            end = Math.Min(end, OffsetOf(extents[(index * XfsLayout.Extent.Length)..]));
        }

        if (end <= fileBlock)
        {
            throw Damaged();
        }

        if (index == 0)
        {
            return new XfsRun(fileBlock, end - fileBlock, null);
        }

        ReadOnlySpan<byte> extent = extents[((index - 1) * XfsLayout.Extent.Length)..];
        bool isWritten = Quad(extent, 0) >> 63 == 0;
        ulong length = LengthOf(extent);
        ulong skipped = fileBlock - OffsetOf(extent);
        return skipped < length
            ? new XfsRun(fileBlock, Math.Min(length - skipped, end - fileBlock), isWritten ? BlockOf(extent) + skipped : null)
            : new XfsRun(fileBlock, end - fileBlock, null);
    }

    /// <summary>Whether extents follow each other, none is empty, and each is in the volume.</summary>
    private bool AreRight(ReadOnlySpan<byte> extents)
    {
        ulong end = 0;
        for (; extents.Length > 0; extents = extents[XfsLayout.Extent.Length..])
        {
            (ulong offset, ulong length) = (OffsetOf(extents), LengthOf(extents));
            if (offset < end || length == 0 || offset + length > End || !_volume.Holds(BlockOf(extents), length))
            {
                return false;
            }

            end = offset + length;
        }

        return true;
    }

    private static bool AreKeys(ReadOnlySpan<byte> entries, int count)
    {
        bool areRight = count > 0 && count <= RoomFor(entries);
        for (int i = 1; i < count && areRight; i++)
        {
            areRight = Quad(entries, (i - 1) * XfsLayout.Tree.KeyLength) < Quad(entries, i * XfsLayout.Tree.KeyLength);
        }

        return areRight;
    }

    /// <summary>How many keys there is room for: they stand first, then the places of the nodes.</summary>
    private static int RoomFor(ReadOnlySpan<byte> entries) => entries.Length / (XfsLayout.Tree.KeyLength + XfsLayout.Tree.PointerLength);

    /// <summary>The last entry, counted from 1, that starts at or before a block; 0 if none does.</summary>
    private static int LastNotBehind(ReadOnlySpan<byte> entries, int entryLength, int count, ulong fileBlock, int shift)
    {
        (int low, int high) = (0, count);
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            bool isBehind = (Quad(entries, (middle - 1) * entryLength) & ~(1ul << 63)) >> shift > fileBlock;
            (low, high) = isBehind ? (low, middle - 1) : (middle, high);
        }

        return low;
    }

    private byte[] ReadNode(ulong block)
    {
        byte[] node = new byte[_volume.BlockSize];
        long offset = _volume.OffsetOf(block);
        _volume.Read(offset, node);
        ReadOnlySpan<byte> entries = node.AsSpan(NodeHeader);
        int count = Short(node, XfsLayout.Tree.Count);
        bool isRight = _volume.IsChecked
            ? node.AsSpan().StartsWith("BMA3"u8) && _volume.IsOwn(node, XfsLayout.Tree.Own, XfsLayout.Tree.Checksum, offset, _inode.Number)
            : node.AsSpan().StartsWith("BMAP"u8);
        isRight = isRight && (Short(node, XfsLayout.Tree.Level) > 0
            ? AreKeys(entries, count)
            : count > 0 && count <= entries.Length / XfsLayout.Extent.Length && AreRight(entries[..(count * XfsLayout.Extent.Length)]));
        return isRight ? node : throw Damaged();
    }

    private static ulong BlockOf(ReadOnlySpan<byte> extent) =>
        ((Quad(extent, 0) & ((1ul << XfsLayout.Extent.HighBlockBits) - 1)) << XfsLayout.Extent.LowBlockBits) | (Quad(extent, sizeof(ulong)) >> XfsLayout.Extent.CountBits);

    private static ulong LengthOf(ReadOnlySpan<byte> extent) => Quad(extent, sizeof(ulong)) & ((1ul << XfsLayout.Extent.CountBits) - 1);

    private static ulong OffsetOf(ReadOnlySpan<byte> extent) => (Quad(extent, 0) & ~(1ul << 63)) >> XfsLayout.Extent.OffsetShift;

    private static GuestException Damaged() => new("its tree of extents is damaged");

    private static int Short(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]);

    private static ulong Quad(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64BigEndian(bytes[offset..]);
}
