using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A node of a tree, which never changes: pointers to others, or in a leaf the items, sorted by their keys ("Trees").</summary>
internal sealed class BtrfsNode
{
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
        if (node.Level > BtrfsLayout.Node.MaxLevel || count > (uint)((bytes.Length - BtrfsLayout.Node.Header) / node.EntryLength) || (count == 0 && node.Level > 0))
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

        return node;
    }

    public bool IsWhat(BtrfsPointer pointer) =>
        BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(BtrfsLayout.Node.Address)) == pointer.Address
        && BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(BtrfsLayout.Node.Generation)) == pointer.Generation
        && Level == pointer.Level
        && (pointer.First is not { } first || (Count > 0 && KeyOf(0) == first));

    public BtrfsKey KeyOf(int index) => BtrfsKey.Read(Entry(index));

    public BtrfsPointer PointerOf(int index) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(Entry(index)[BtrfsLayout.Node.PointerAddress..]),
        Level - 1,
        BinaryPrimitives.ReadUInt64LittleEndian(Entry(index)[BtrfsLayout.Node.PointerGeneration..]),
        KeyOf(index));

    public BtrfsItem ItemOf(int index)
    {
        uint offset = BinaryPrimitives.ReadUInt32LittleEndian(Entry(index)[BtrfsLayout.Node.ItemOffset..]);
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(Entry(index)[BtrfsLayout.Node.ItemSize..]);
        int room = _bytes.Length - BtrfsLayout.Node.Header;
        return offset <= room && size <= room - offset
            ? new BtrfsItem(KeyOf(index), _bytes.AsMemory(BtrfsLayout.Node.Header + (int)offset, (int)size))
            : throw new GuestException($"its tree is damaged: an item reaches past its leaf, at address {BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(BtrfsLayout.Node.Address))}");
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

    private ReadOnlySpan<byte> Entry(int index) => _bytes.AsSpan(BtrfsLayout.Node.Header + (index * EntryLength), EntryLength);
}
