using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A node of a tree, which never changes: pointers to others, or in a leaf the items, sorted by their keys ("Trees").</summary>
internal sealed class BtrfsNode
{
    private const ulong Written = 0x1;

    private readonly byte[] _bytes;

    private BtrfsNode(byte[] bytes) => _bytes = bytes;

    public int Level => _bytes[BtrfsLayout.Node.Level];

    public int Count => (int)BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(BtrfsLayout.Node.Count));

    private int EntryLength => Level == 0 ? BtrfsLayout.Node.ItemLength : BtrfsLayout.Node.PointerLength;

    /// <summary>Makes a node of bytes whose checksum is right; null if it is none.</summary>
    public static BtrfsNode? Of(byte[] bytes)
    {
        BtrfsNode node = new(bytes);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(BtrfsLayout.Node.Count));
        if (node.Level > BtrfsLayout.Node.MaxLevel
            || (node.Quad(BtrfsLayout.Node.Flags) & Written) == 0
            || count > (uint)((bytes.Length - BtrfsLayout.Node.Header) / node.EntryLength)
            || (count == 0 && node.Level > 0))
        {
            return null;
        }

        for (int i = 1; i < node.Count; i++)
        {
            if (node.KeyOf(i - 1) >= node.KeyOf(i))
            {
                return null;
            }
        }

        return node.Level > 0 || node.HasItemsInOrder() ? node : null;
    }

    /// <summary>Whether it is the node that something leads to. Those of a subvolume may be another's: it has them from what it is a snapshot of.</summary>
    public bool IsWhat(BtrfsPointer pointer) =>
        Quad(BtrfsLayout.Node.Address) == pointer.Address
        && Quad(BtrfsLayout.Node.Generation) == pointer.Generation
        && Level == pointer.Level
        && (BtrfsObject.IsSubvolume(pointer.Tree) ? BtrfsObject.IsSubvolume(Quad(BtrfsLayout.Node.Owner)) : Quad(BtrfsLayout.Node.Owner) == pointer.Tree)
        && (pointer.First is not { } first || (Count > 0 && KeyOf(0) == first));

    public BtrfsKey KeyOf(int index) => BtrfsKey.Read(Entry(index));

    /// <summary>What leads to a node below it.</summary>
    /// <param name="index">Which.</param>
    /// <param name="tree">The number of the tree.</param>
    public BtrfsPointer PointerOf(int index, ulong tree) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(Entry(index)[BtrfsLayout.Node.PointerAddress..]),
        Level - 1,
        BinaryPrimitives.ReadUInt64LittleEndian(Entry(index)[BtrfsLayout.Node.PointerGeneration..]),
        tree,
        KeyOf(index));

    public BtrfsItem ItemOf(int index)
    {
        int place = BtrfsLayout.Node.Header + (int)ItemField(index, BtrfsLayout.Node.ItemOffset);
        return new BtrfsItem(KeyOf(index), _bytes.AsMemory(place, (int)ItemField(index, BtrfsLayout.Node.ItemSize)));
    }

    /// <summary>Which is the last whose key is not past another; -1 if all are.</summary>
    public int LastUpTo(BtrfsKey key)
    {
        (int low, int high) = (0, Count);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = KeyOf(middle) <= key ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    /// <summary>
    /// The data of items follow each other without gaps from the end of the leaf on, towards what says where they are. Otherwise two could share bytes.
    /// </summary>
    private bool HasItemsInOrder()
    {
        uint end = (uint)(_bytes.Length - BtrfsLayout.Node.Header);
        for (int i = 0; i < Count; i++)
        {
            uint size = ItemField(i, BtrfsLayout.Node.ItemSize);
            if (size > end || ItemField(i, BtrfsLayout.Node.ItemOffset) != end - size)
            {
                return false;
            }

            end -= size;
        }

        return end >= (uint)(Count * EntryLength);
    }

    private uint ItemField(int index, int place) => BinaryPrimitives.ReadUInt32LittleEndian(Entry(index)[place..]);

    private ulong Quad(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));

    private ReadOnlySpan<byte> Entry(int index) => _bytes.AsSpan(BtrfsLayout.Node.Header + (index * EntryLength), EntryLength);
}
