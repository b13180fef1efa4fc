using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>
/// A thin pool: two volumes, one with data, one with a tree of trees that says where the blocks of each thin volume are (Linux'
/// Documentation/admin-guide/device-mapper/thin-provisioning.rst). What was committed last counts.
/// </summary>
internal sealed class ThinPool
{
    private const int MaxNodes = 256;
    private const int MaxDepth = 16;

    private readonly IBlockSource _metadata;
    private readonly IBlockSource _data;
    private readonly ulong _root;
    private readonly Lock _lock = new();

    // The last ones that were read.
    private readonly Dictionary<ulong, ThinNode> _nodes = [];

    /// <exception cref="GuestException">Its metadata is damaged, or of a form that isn't known.</exception>
    public ThinPool(IBlockSource metadata, IBlockSource data)
    {
        (_metadata, _data) = (metadata, data);
        byte[] superblock = new byte[ThinLayout.BlockLength];
        metadata.ReadExactly(0, superblock);
        uint version = Word(superblock, ThinLayout.Superblock.Version);
        uint sectors = Word(superblock, ThinLayout.Superblock.DataBlockSectors);
        uint features = Word(superblock, ThinLayout.Superblock.IncompatibleFeatures);
        bool isSuperblock = ThinNode.IsRight(superblock, ThinLayout.Superblock.ChecksumSalt)
            && BinaryPrimitives.ReadUInt64LittleEndian(superblock.AsSpan(ThinLayout.Superblock.Magic)) == ThinLayout.Superblock.MagicValue;
        if (!isSuperblock || version > ThinLayout.Superblock.LastVersion || features != 0 || sectors is 0 or > int.MaxValue / LvmLayout.Sector
            || Word(superblock, ThinLayout.Superblock.MetadataBlockSectors) != ThinLayout.BlockLength / LvmLayout.Sector)
        {
            throw new GuestException(!isSuperblock ? "the metadata of its thin pool is damaged"
                : $"its thin pool is of a form that is not handled (version {version}, features 0x{features:x}, blocks of {sectors} sectors)");
        }

        BlockLength = (int)sectors * LvmLayout.Sector;
        _root = BinaryPrimitives.ReadUInt64LittleEndian(superblock.AsSpan(ThinLayout.Superblock.MappingRoot));
    }

    /// <summary>The length of a block of data in bytes.</summary>
    public int BlockLength { get; }

    /// <summary>The bytes of a thin volume.</summary>
    /// <param name="device">Its number in the pool.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="origin">What has those bytes that the volume hasn't; null for zeros.</param>
    public IBlockSource Open(long device, long length, IBlockSource? origin)
    {
        (ulong? root, _) = Find(_root, (ulong)device);
        return root is { } tree ? new ThinVolume(this, tree, length, origin)
            : throw new GuestException($"its thin pool has no device {device}");
    }

    /// <summary>Looks a key up.</summary>
    /// <param name="root">The root of the tree.</param>
    /// <param name="key">The key.</param>
    /// <param name="shift">How many bits of a value aren't part of its number.</param>
    /// <returns>
    /// Its value, and for how many keys the values follow each other; or null, and for how many keys there is none.
    /// </returns>
    private (ulong? Value, ulong Count) Find(ulong root, ulong key, int shift = 0)
    {
        ulong limit = ulong.MaxValue;
        ulong block = root;
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            ThinNode node = NodeOf(block);
            int index = node.LastNotPast(key);
            if (index + 1 < node.Count)
            {
                limit = Math.Min(limit, node.Key(index + 1));
            }

            if (index < 0 || (node.IsLeaf && node.Key(index) != key))
            {
                return limit > key ? (null, limit - key) : throw new GuestException($"block {block} of the pool's metadata is damaged");
            }

            if (node.IsLeaf)
            {
                return (node.Value(index), Run(node, index, shift));
            }

            block = node.Value(index);
        }

        throw new GuestException($"the tree of its thin pool is more than {MaxDepth} nodes deep");
    }

    private static ulong Run(ThinNode node, int index, int shift)
    {
        int next = index + 1;
        while (next < node.Count && node.Key(next) == node.Key(next - 1) + 1 && node.Value(next) >> shift == (node.Value(next - 1) >> shift) + 1)
        {
            next++;
        }

        return (ulong)(next - index);
    }

    private ThinNode NodeOf(ulong block)
    {
        lock (_lock)
        {
            if (_nodes.TryGetValue(block, out ThinNode known))
            {
                return known;
            }
        }

        if (block >= (ulong)(_metadata.Length / ThinLayout.BlockLength))
        {
            throw new GuestException($"the tree of its thin pool leads to block {block}, past the end of its metadata");
        }

        byte[] bytes = new byte[ThinLayout.BlockLength];
        _metadata.ReadExactly((long)block * ThinLayout.BlockLength, bytes);
        ThinNode node = new(bytes, block);
        lock (_lock)
        {
            if (_nodes.Count >= MaxNodes)
            {
                _nodes.Clear();
            }

            _nodes[block] = node;
        }

        return node;
    }

    private static uint Word(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private sealed class ThinVolume(ThinPool pool, ulong tree, long length, IBlockSource? origin) : MappedVolume(length)
    {
        protected override Placement Locate(long offset)
        {
            (long block, long inBlock) = Math.DivRem(offset, pool.BlockLength);
            (ulong? mapped, ulong count) = pool.Find(tree, (ulong)block, ThinLayout.TimeBits);
            long here = (long)Math.Min(count, (ulong)(Length / pool.BlockLength) + 1) * pool.BlockLength;
            long place = mapped is { } value ? checked((long)(value >> ThinLayout.TimeBits) * pool.BlockLength) + inBlock : offset;
            return mapped is not null ? new Placement(pool._data, place, here - inBlock)
                : origin is null || offset >= origin.Length ? new Placement(null, 0, here - inBlock)
                : new Placement(origin, offset, Math.Min(here - inBlock, origin.Length - offset));
        }
    }
}
