using System.Buffers.Binary;
using System.Collections.Concurrent;
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

    private readonly BtrfsNodes _nodes;
    private readonly ConcurrentDictionary<ulong, BtrfsSubvolume?> _subvolumes = [];

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

    /// <summary>A tree by its number; null if there is none.</summary>
    public BtrfsTree? Tree(ulong number) => RootOf(number) is { } root ? TreeOf(root) : null;

    /// <summary>A subvolume by its number; null if there is none, or none any more.</summary>
    public BtrfsSubvolume? Subvolume(ulong number) => _subvolumes.GetOrAdd(number, ReadSubvolume);

    private static bool IsSubvolume(ulong number) => number is BtrfsObject.TopLevel or (>= BtrfsObject.First and < BtrfsObject.End);

    /// <summary>The chunks of the superblock hold the tree of all.</summary>
    private void AddChunks()
    {
        ReadOnlyMemory<byte> rest = Superblock.Chunks;
        while (rest.Length > 0)
        {
            BtrfsItem item = rest.Length >= BtrfsLayout.Key.Length + BtrfsLayout.Chunk.Stripes
                ? new BtrfsItem(BtrfsKey.Read(rest.Span), rest[BtrfsLayout.Key.Length..])
                : throw new GuestException("its superblock is damaged");
            BtrfsChunk chunk = new(item);
            Space.Add(chunk);
            rest = rest[(BtrfsLayout.Key.Length + BtrfsLayout.Chunk.Stripes + (chunk.Stripes.Length * BtrfsLayout.Chunk.StripeItem))..];
        }

        // They are found through those that are there already.
        List<BtrfsItem> all = [.. ChunkTree.ItemsOf(BtrfsObject.First, BtrfsType.Chunk).Take(MaxChunks + 1)];
        if (all.Count > MaxChunks)
        {
            throw new GuestException($"it has more than {MaxChunks} chunks");
        }

        all.ForEach(item => Space.Add(new BtrfsChunk(item)));
    }

    /// <summary>The last root of a tree: that of a snapshot has the transaction in its key.</summary>
    private BtrfsItem? RootOf(ulong number) => RootTree.ItemsOf(number, BtrfsType.Root).Select(item => (BtrfsItem?)item).LastOrDefault();

    private BtrfsTree TreeOf(BtrfsItem root)
    {
        ReadOnlySpan<byte> bytes = root.AtLeast(BtrfsLayout.Root.MinLength);
        return new BtrfsTree(_nodes, new BtrfsPointer(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Address..]),
            bytes[BtrfsLayout.Root.Level],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Generation..])));
    }

    private BtrfsSubvolume? ReadSubvolume(ulong number)
    {
        if (!IsSubvolume(number) || RootOf(number) is not { } root)
        {
            return null;
        }

        ReadOnlySpan<byte> bytes = root.AtLeast(BtrfsLayout.Root.MinLength);

        // One that is being deleted has no references.
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[BtrfsLayout.Root.References..]) == 0
            ? null
            : new BtrfsSubvolume(
                number,
                TreeOf(root),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Directory..]),
                (BinaryPrimitives.ReadUInt64LittleEndian(bytes[BtrfsLayout.Root.Flags..]) & 1) != 0);
    }
}
