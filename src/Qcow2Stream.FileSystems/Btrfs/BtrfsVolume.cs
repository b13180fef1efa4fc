using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// A Btrfs file system: its superblock, its address space, and the trees in it ("On-disk Format" in Btrfs' documentation). All checksums are verified, and
/// what is wrong is read from its other copy, if there is one. Safe for several threads.
/// </summary>
internal sealed class BtrfsVolume
{
    // A chunk has a gibibyte, mostly.
    private const int MaxChunks = 1 << 20;

    // There are hundreds on a healthy disk; others may say that there are any number.
    private const int MostKept = 4096;

    private readonly BtrfsNodes _nodes;
    private readonly Dictionary<ulong, BtrfsSubvolume?> _subvolumes = [];
    private readonly Lock _turn = new();

    public BtrfsVolume(FileSystemSource volume)
    {
        Options = volume.Options;
        BtrfsDevices devices = new(volume, (BtrfsSuperblock.Find(volume) ?? throw new GuestException("it has no superblock")).Judge());
        Superblock = devices.Newest;
        Checksum = new BtrfsChecksum(Superblock.ChecksumType);
        Space = new BtrfsSpace(devices);
        _nodes = new BtrfsNodes(Space, devices, Superblock.NodeSize, Checksum);
        ChunkTree = new BtrfsTree(_nodes, Superblock.ChunkTree);
        AddChunks();
        RootTree = new BtrfsTree(_nodes, Superblock.RootTree);
        Data = new BtrfsData(this);
    }

    public GuestOptions Options { get; }

    /// <summary>The superblock that counts: the newest of its devices.</summary>
    public BtrfsSuperblock Superblock { get; }

    public BtrfsChecksum Checksum { get; }

    public BtrfsSpace Space { get; }

    /// <summary>The tree of chunks, and of the devices that they are on.</summary>
    public BtrfsTree ChunkTree { get; }

    /// <summary>The tree of the roots of all others.</summary>
    public BtrfsTree RootTree { get; }

    /// <summary>The bytes of files.</summary>
    public BtrfsData Data { get; }

    /// <summary>How much was done so far to find things in trees, for those who must come to an end: about a node of a tree each.</summary>
    public long Work => _nodes.Work;

    /// <summary>A tree by its number; null if there is none.</summary>
    public BtrfsTree? Tree(ulong number) => RootOf(number) is { } root ? TreeOf(root) : null;

    /// <summary>A subvolume by its number; null if there is none, or none any more.</summary>
    public BtrfsSubvolume? Subvolume(ulong number)
    {
        lock (_turn)
        {
            if (_subvolumes.TryGetValue(number, out BtrfsSubvolume? kept))
            {
                return kept;
            }
        }

        BtrfsSubvolume? subvolume = BtrfsObject.IsSubvolume(number) && RootOf(number) is { } root ? SubvolumeOf(root) : null;
        lock (_turn)
        {
            if (_subvolumes.Count >= MostKept)
            {
                _subvolumes.Clear();
            }

            _subvolumes[number] = subvolume;
        }

        return subvolume;
    }

    /// <summary>The subvolume whose root an item is; null if it is none any more.</summary>
    public BtrfsSubvolume? SubvolumeOf(BtrfsItem root)
    {
        BtrfsTree tree = TreeOf(root);
        ReadOnlySpan<byte> bytes = root.Data.Span;

        // One that is being deleted has no references.
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[BtrfsLayout.Root.References..]) == 0
            ? null
            : new BtrfsSubvolume(
                root.Key.Object,
                tree,
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Directory..]),
                (BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Flags..]) & 1) != 0);
    }

    /// <summary>The chunks of the superblock hold the tree of all.</summary>
    private void AddChunks()
    {
        ReadOnlyMemory<byte> rest = Superblock.Chunks;
        while (rest.Length > 0)
        {
            BtrfsItem item = rest.Length >= BtrfsLayout.Key.Length + BtrfsLayout.Chunk.Stripes
                ? new BtrfsItem(BtrfsKey.Read(rest.Span), rest[BtrfsLayout.Key.Length..])
                : throw new GuestException("its superblock is damaged");
            BtrfsChunk chunk = new(item, Superblock);
            Space.Add(chunk);
            rest = rest[(BtrfsLayout.Key.Length + BtrfsLayout.Chunk.Stripes + (chunk.Stripes.Length * BtrfsLayout.Chunk.StripeItem))..];
        }

        foreach (BtrfsItem item in ChunkTree.ItemsOf(BtrfsObject.First, BtrfsType.Chunk))
        {
            BtrfsChunk chunk = new(item, Superblock);
            _ = item.Exactly(BtrfsLayout.Chunk.Stripes + (chunk.Stripes.Length * BtrfsLayout.Chunk.StripeItem));
            Space.Add(chunk);
            if (Space.Chunks.Count > MaxChunks)
            {
                throw new GuestException($"it has more than {MaxChunks} chunks");
            }
        }
    }

    /// <summary>The last root of a tree: that of a snapshot has the transaction in its key.</summary>
    private BtrfsItem? RootOf(ulong number)
    {
        BtrfsItem? last = RootTree.UpTo(new BtrfsKey(number, BtrfsType.Root, ulong.MaxValue));
        return last is { } item && item.Key.Object == number && item.Key.Type == BtrfsType.Root ? item : null;
    }

    private BtrfsTree TreeOf(BtrfsItem root)
    {
        ReadOnlySpan<byte> bytes = root.Data.Length == BtrfsLayout.Root.OldLength ? root.Data.Span : root.Exactly(BtrfsLayout.Root.Length);
        return new BtrfsTree(_nodes, new BtrfsPointer(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Address..]),
            bytes[BtrfsLayout.Root.Level],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Generation..]),
            root.Key.Object));
    }
}
