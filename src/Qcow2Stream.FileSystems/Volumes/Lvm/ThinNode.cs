using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>A node of a thin pool's tree.</summary>
internal readonly struct ThinNode
{
    private readonly byte[] _block;
    private readonly int _maxEntries;

    /// <exception cref="GuestException">It is damaged.</exception>
    public ThinNode(byte[] block, ulong number)
    {
        _block = block;
        Count = (int)Math.Min(Word(ThinLayout.Node.Entries), int.MaxValue);
        _maxEntries = (int)Math.Min(Word(ThinLayout.Node.MaxEntries), int.MaxValue);
        uint kind = Word(ThinLayout.Node.Flags);
        IsLeaf = kind == ThinLayout.Node.IsLeaf;
        if (!IsRight(block, ThinLayout.Node.ChecksumSalt) || BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(ThinLayout.Number)) != number
            || kind is not (ThinLayout.Node.IsLeaf or ThinLayout.Node.IsInternal) || Word(ThinLayout.Node.ValueLength) != sizeof(ulong)
            || Count > _maxEntries || _maxEntries > (block.Length - ThinLayout.Node.Keys) / (ThinLayout.Node.KeyLength + sizeof(ulong)))
        {
            throw new GuestException($"block {number} of the pool's metadata is damaged");
        }
    }

    public bool IsLeaf { get; }

    /// <summary>How many entries it has.</summary>
    public int Count { get; }

    public static bool IsRight(ReadOnlySpan<byte> block, uint salt) =>
        (Castagnoli.Add(uint.MaxValue, block[ThinLayout.Checked..]) ^ salt) == BinaryPrimitives.ReadUInt32LittleEndian(block[ThinLayout.Checksum..]);

    public ulong Key(int index) => BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(ThinLayout.Node.Keys + (index * ThinLayout.Node.KeyLength)));

    public ulong Value(int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(ThinLayout.Node.Keys + (_maxEntries * ThinLayout.Node.KeyLength) + (index * sizeof(ulong))));

    /// <summary>The last entry whose key isn't past a wanted one; -1 if there is none.</summary>
    public int LastNotPast(ulong key)
    {
        (int low, int high) = (0, Count);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = Key(middle) <= key ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_block.AsSpan(offset));
}
