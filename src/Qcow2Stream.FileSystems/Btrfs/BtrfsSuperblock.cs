using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The superblock of a device: what the file system is, and where its trees begin.</summary>
internal sealed class BtrfsSuperblock
{
    private const int MinSectorSize = 4 << 10;
    private const int MaxNodeSize = 64 << 10;

    private const ulong SeparateMetadataUuid = 0x400;
    private const ulong MixedGroups = 0x4;

    // References that are mixed, a default subvolume, groups of data and metadata, LZO, zstd, large metadata, more names of an inode, RAID5/6, small
    // references, no holes, a UUID of metadata, RAID1 with three and four copies, zones, simple quotas.
    private const ulong KnownFeatures = 0xFFF | SeparateMetadataUuid | 0x1000 | 0x10000;

    private static readonly (ulong Bit, string Name)[] RefusedFeatures =
    [
        (0x2000, "a second version of its extent tree (extent-tree-v2)"),
        (0x4000, "a tree of stripes (raid-stripe-tree)"),
        (0x20000, "a tree of moved block groups (remap-tree)"),
    ];

    private readonly byte[] _bytes;

    private BtrfsSuperblock(byte[] bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> FileSystem => _bytes.AsSpan(BtrfsLayout.Superblock.FileSystem, BtrfsLayout.Uuid);

    public ulong Generation => Quad(BtrfsLayout.Superblock.Generation);

    public BtrfsPointer RootTree => new(
        Quad(BtrfsLayout.Superblock.RootTree), _bytes[BtrfsLayout.Superblock.RootTreeLevel], Generation, BtrfsObject.RootTree);

    public BtrfsPointer ChunkTree => new(
        Quad(BtrfsLayout.Superblock.ChunkTree),
        _bytes[BtrfsLayout.Superblock.ChunkTreeLevel],
        Quad(BtrfsLayout.Superblock.ChunkTreeGeneration),
        BtrfsObject.ChunkTree);

    /// <summary>Whether something that was synchronised last is in a tree of its own, which the guest reads into the others when it mounts.</summary>
    public bool HasLog => Quad(BtrfsLayout.Superblock.LogTree) != 0;

    /// <summary>The object of the root tree whose names tell the default subvolume.</summary>
    public ulong RootDirectory => Quad(BtrfsLayout.Superblock.RootDirectory);

    public ulong DeviceCount => Quad(BtrfsLayout.Superblock.DeviceCount);

    public int SectorSize => (int)Long(BtrfsLayout.Superblock.SectorSize);

    public int NodeSize => (int)Long(BtrfsLayout.Superblock.NodeSize);

    public int ChecksumType => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(BtrfsLayout.Superblock.ChecksumType));

    public string Label => GuestText.FromTerminated(_bytes.AsSpan(BtrfsLayout.Superblock.Label, BtrfsLayout.Superblock.LabelLength));

    /// <summary>What the device says of itself: btrfs_dev_item.</summary>
    public ReadOnlySpan<byte> Device => _bytes.AsSpan(BtrfsLayout.Superblock.Device, BtrfsLayout.Device.Length);

    public ulong DeviceId => BinaryPrimitives.ReadUInt64LittleEndian(Device[BtrfsLayout.Device.Id..]);

    public UInt128 DeviceUuid => BinaryPrimitives.ReadUInt128LittleEndian(Device[BtrfsLayout.Device.Uuid..]);

    /// <summary>The UUID that its nodes have.</summary>
    public ReadOnlySpan<byte> MetadataUuid => (Features & SeparateMetadataUuid) != 0
        ? _bytes.AsSpan(BtrfsLayout.Superblock.MetadataUuid, BtrfsLayout.Uuid)
        : FileSystem;

    /// <summary>The chunks that hold the tree of all chunks: keys and chunks, one after the other.</summary>
    public ReadOnlyMemory<byte> Chunks => _bytes.AsMemory(BtrfsLayout.Superblock.Chunks, (int)Long(BtrfsLayout.Superblock.ChunksLength));

    /// <summary>Whether chunks may have both data and trees.</summary>
    public bool HasMixedGroups => (Features & MixedGroups) != 0;

    private ulong Features => Quad(BtrfsLayout.Superblock.IncompatibleFeatures);

    /// <summary>Reads the superblock of a volume; null if it has none.</summary>
    public static BtrfsSuperblock? Find(IBlockSource volume)
    {
        byte[] bytes = new byte[BtrfsLayout.Superblock.Length];
        if (volume.Length < BtrfsLayout.Superblock.Place + bytes.Length)
        {
            return null;
        }

        BlockSource.ReadExactly(volume, BtrfsLayout.Superblock.Place, bytes);
        return bytes.AsSpan(BtrfsLayout.Superblock.Magic).StartsWith("_BHRfS_M"u8) ? new BtrfsSuperblock(bytes) : null;
    }

    /// <summary>Refuses what is damaged, and what would be misread.</summary>
    /// <exception cref="GuestException">It is one of these.</exception>
    public BtrfsSuperblock Judge()
    {
        BtrfsChecksum checksum = new(ChecksumType);
        if (!checksum.IsRight(_bytes.AsSpan(BtrfsLayout.Checksum), _bytes))
        {
            throw new GuestException("its superblock is damaged: the checksum is wrong");
        }

        if (RefusedFeatures.FirstOrDefault(feature => (Features & feature.Bit) != 0).Name is { } name)
        {
            throw new GuestException($"it has a feature that is not handled: {name}");
        }

        if ((Features & ~KnownFeatures) is not 0 and var unknown)
        {
            throw new GuestException($"it has features that are not handled (incompatible features 0x{unknown:x})");
        }

        return int.IsPow2(SectorSize) && SectorSize is >= MinSectorSize and <= MaxNodeSize
            && int.IsPow2(NodeSize) && NodeSize >= SectorSize && NodeSize <= MaxNodeSize
            && Long(BtrfsLayout.Superblock.ChunksLength) <= BtrfsLayout.Superblock.MaxChunksLength
            && Quad(BtrfsLayout.Superblock.Address) == BtrfsLayout.Superblock.Place
            ? this
            : throw new GuestException("its superblock is damaged");
    }

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private ulong Quad(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));
}
