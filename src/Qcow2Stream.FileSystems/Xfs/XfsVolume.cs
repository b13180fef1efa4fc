using System.Buffers.Binary;
using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Xfs.Log;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>
/// An XFS file system of version 4 or 5: its superblock, and where inodes and blocks are ("XFS Algorithms and Data Structures"; the Linux kernel's
/// xfs_format.h). Checksums of version 5 are verified.
/// </summary>
internal sealed class XfsVolume
{
    private const int BlocksKeptByGroup = 8;
    private const int MinInodeSize = 256;
    private const int MaxInodeSize = 2048;
    private const int MinBlockSize = 512;
    private const int MaxLogInodesPerBlock = 8;

    // Each group begins with its superblock, the two of what is free in it, and the list of blocks for these, a sector each.
    private const int LastHeaderSector = 3;
    private const int MaxBlockSize = 64 << 10;

    // Version 4 has bits beside its number, and more bits in a field that came later, as Linux knows them.
    private const int VersionMask = 0xF;
    private const int DirectoriesOfToday = 0x2000;
    private const int IgnoresCaseBit = 0x4000;
    private const int MoreBits = 0x8000;
    private const int SharedBit = 0x200;
    private const uint TypesOfToday = 0x200;

    // Counters that are written lazily, attributes of version 2, projects of 32 bits.
    private const uint LazyCounts = 0x2;
    private const uint KnownLaterBits = LazyCounts | 0x8 | 0x80 | TypesOfToday;

    private const uint Types = 0x1;
    private const uint SeparateUuid = 0x4;
    private const uint NeedsRepair = 0x10;
    private const uint LargeExtentCounts = 0x20;

    // Types in directories, sparse inodes, a UUID of metadata, large times, large counts of extents, exchanged ranges, parent pointers.
    private const uint KnownFeatures = Types | 0x2 | SeparateUuid | 0x8 | LargeExtentCounts | 0x40 | 0x80;

    private static readonly (uint Bit, string Name)[] RefusedFeatures =
    [
        (NeedsRepair, "the guest says that it needs xfs_repair"),
        (0x100, "a metadata directory (metadir)"),
        (0x200, "zoned storage"),
        (0x400, "gaps in zones"),
    ];

    private readonly FileSystemSource _volume;
    private readonly XfsLogResult? _replayed;
    private readonly byte[] _superblock = new byte[XfsLayout.Superblock.Length];
    private readonly int _logInodesPerBlock;
    private readonly int _logGroupBlocks;

    /// <param name="volume">What it is read from.</param>
    /// <param name="replayed">What a replay of its log makes of it, if there was one.</param>
    public XfsVolume(FileSystemSource volume, XfsLogResult? replayed = null)
    {
        (_volume, _replayed) = (volume, replayed);
        _volume.ReadExactly(0, _superblock);
        int version = Short(XfsLayout.Superblock.Version);
        IsChecked = (version & VersionMask) == 5;
        Judge(version);
        BlockSize = (int)Long(XfsLayout.Superblock.BlockSize);
        InodeSize = Short(XfsLayout.Superblock.InodeSize);
        _logInodesPerBlock = _superblock[XfsLayout.Superblock.LogInodesPerBlock];
        _logGroupBlocks = _superblock[XfsLayout.Superblock.LogGroupBlocks];
        GroupBlocks = Long(XfsLayout.Superblock.GroupBlocks);
        GroupCount = Long(XfsLayout.Superblock.GroupCount);
        BlockCount = Quad(XfsLayout.Superblock.DataBlocks);
        int logDirectoryBlocks = _superblock[XfsLayout.Superblock.LogDirectoryBlocks];
        if (!int.IsPow2(BlockSize) || BlockSize is < MinBlockSize or > MaxBlockSize
            || !int.IsPow2(InodeSize) || InodeSize is < MinInodeSize or > MaxInodeSize || InodeSize << _logInodesPerBlock != BlockSize
            || _logInodesPerBlock > MaxLogInodesPerBlock
            || GroupBlocks == 0 || _logGroupBlocks > 31 || GroupBlocks > 1u << _logGroupBlocks
            || GroupCount == 0 || BlockCount <= (GroupCount - 1ul) * GroupBlocks
            || logDirectoryBlocks > 16 || (long)BlockSize << logDirectoryBlocks > MaxBlockSize
            || BlockCount > (ulong)GroupCount * GroupBlocks || BlockCount > (ulong)(long.MaxValue / BlockSize))
        {
            throw new GuestException("its superblock is damaged");
        }

        if (IsChecked && !HasRightSum(Short(XfsLayout.Superblock.SectorSize)))
        {
            throw new GuestException("its superblock is damaged: the checksum is wrong");
        }

        DirectoryBlockSize = BlockSize << logDirectoryBlocks;
        HasTypes = IsChecked
            ? (Long(XfsLayout.Superblock.IncompatibleFeatures) & Types) != 0
            : (version & MoreBits) != 0 && (Long(XfsLayout.Superblock.Features2) & TypesOfToday) != 0;
        IgnoresCase = (version & IgnoresCaseBit) != 0;
    }

    public GuestOptions Options => _volume.Options;

    /// <summary>Whether it is of version 5, whose metadata has checksums and owners.</summary>
    public bool IsChecked { get; }

    public int BlockSize { get; }

    public int InodeSize { get; }

    public int DirectoryBlockSize { get; }

    public ulong BlockCount { get; }

    /// <summary>How many blocks each group has; the last may have fewer.</summary>
    public uint GroupBlocks { get; }

    public uint GroupCount { get; }

    public int SectorSize => Short(XfsLayout.Superblock.SectorSize);

    /// <summary>How many blocks there are from one chunk of inodes to where the next may be.</summary>
    public uint InodeAlignment => Long(XfsLayout.Superblock.InodeAlignment);

    /// <summary>Whether names in directories have the kind of what they name beside them.</summary>
    public bool HasTypes { get; }

    /// <summary>Whether names are the same but for the case of ASCII letters.</summary>
    public bool IgnoresCase { get; }

    public ulong RootInode => Quad(XfsLayout.Superblock.RootInode);

    public string Label => GuestText.FromTerminated(_superblock.AsSpan(XfsLayout.Superblock.Label, XfsLayout.Superblock.LabelLength));

    /// <summary>What files can take: all blocks but those of the log.</summary>
    public long TotalBytes => Bytes(BlockCount - (LogStart == 0 ? 0 : Math.Min(BlockCount, LogBlocks)));

    /// <summary>What files can still take, as Linux counts it: each group keeps some blocks for itself.</summary>
    public long FreeBytes => Bytes(Math.Min(BlockCount, CountFree()) is var free && free > KeptBlocks ? free - KeptBlocks : 0);

    /// <summary>The block at which the log starts; 0 if it is on another device.</summary>
    public ulong LogStart => Quad(XfsLayout.Superblock.LogStart);

    public uint LogBlocks => Long(XfsLayout.Superblock.LogBlocks);

    /// <summary>What must be known to replay the log.</summary>
    public uint LogFeatures => IsChecked ? Long(XfsLayout.Superblock.LogFeatures) : 0;

    public ReadOnlySpan<byte> Uuid => _superblock.AsSpan(XfsLayout.Superblock.Uuid, XfsLayout.Own.UuidLength);

    /// <summary>The UUID in the blocks of version 5; the file system's may have been changed since.</summary>
    public ReadOnlySpan<byte> MetadataUuid => HasMetadataUuid ? _superblock.AsSpan(XfsLayout.Superblock.MetaUuid, XfsLayout.Own.UuidLength) : Uuid;

    public bool HasMetadataUuid => IsChecked && (Long(XfsLayout.Superblock.IncompatibleFeatures) & SeparateUuid) != 0;

    /// <summary>Reads an inode.</summary>
    /// <exception cref="GuestException">There is none of that number, or it is damaged.</exception>
    public XfsInode Inode(ulong number)
    {
        byte[] bytes = new byte[InodeSize];
        Read(OffsetOfInode(number), bytes);
        return new XfsInode(this, number, bytes);
    }

    /// <summary>Where an inode is on the volume, in bytes.</summary>
    /// <exception cref="GuestException">There is none of that number.</exception>
    public long OffsetOfInode(ulong number)
    {
        ulong group = number >> (_logGroupBlocks + _logInodesPerBlock);
        ulong block = (number >> _logInodesPerBlock) & ((1ul << _logGroupBlocks) - 1);
        long index = (long)(number & ((1ul << _logInodesPerBlock) - 1));
        return group < GroupCount && block < GroupBlocks && (group * GroupBlocks) + block < BlockCount
            ? ((long)((group * GroupBlocks) + block) * BlockSize) + (index * InodeSize)
            : throw new GuestException($"it points to inode {number}, which does not exist");
    }

    /// <summary>The number of the first inode of a block.</summary>
    public ulong InodeAt(uint group, uint block) => (((ulong)group << _logGroupBlocks) | block) << _logInodesPerBlock;

    /// <summary>The blocks that a file gets when the guest mounts the file system.</summary>
    public XfsRemaps? RemapsOf(ulong inode) => _replayed?.Remaps.GetValueOrDefault(inode);

    /// <summary>Where a block is on the volume, in bytes.</summary>
    /// <param name="block">Its number: a group's, then the block in it.</param>
    public long OffsetOf(ulong block)
    {
        ulong group = block >> _logGroupBlocks;
        ulong inGroup = block & ((1ul << _logGroupBlocks) - 1);
        return group < GroupCount && inGroup < GroupBlocks && (group * GroupBlocks) + inGroup < BlockCount
            ? (long)((group * GroupBlocks) + inGroup) * BlockSize
            : throw new GuestException($"it points to block {block}, past the end of the volume");
    }

    /// <summary>Whether blocks that follow each other are in one group, behind its headers.</summary>
    public bool Holds(ulong block, ulong count)
    {
        ulong group = block >> _logGroupBlocks;
        ulong inGroup = block & ((1ul << _logGroupBlocks) - 1);
        ulong firstFree = (ulong)(LastHeaderSector * Short(XfsLayout.Superblock.SectorSize) / BlockSize) + 1;
        return group < GroupCount && inGroup >= firstFree && inGroup + count <= Math.Min(GroupBlocks, BlockCount - (group * GroupBlocks));
    }

    /// <summary>Whether a block of version 5 is what its place says, and belongs to an inode.</summary>
    /// <param name="block">The block.</param>
    /// <param name="own">Where in it that stands.</param>
    /// <param name="checksum">Where its checksum stands.</param>
    /// <param name="offset">Where it was read, in bytes from the start of the volume.</param>
    /// <param name="inode">The inode.</param>
    public bool IsOwn(ReadOnlySpan<byte> block, int own, int checksum, long offset, ulong inode) =>
        XfsChecksum.IsRight(block, checksum)
        && BinaryPrimitives.ReadInt64BigEndian(block[(own + XfsLayout.Own.Place)..]) == offset / XfsLayout.Own.PlaceUnit
        && block.Slice(own + XfsLayout.Own.Uuid, XfsLayout.Own.UuidLength).SequenceEqual(MetadataUuid)
        && BinaryPrimitives.ReadUInt64BigEndian(block[(own + XfsLayout.Own.Inode)..]) == inode;

    /// <inheritdoc cref="FileSystemSource.StoredOf"/>
    public IEnumerable<StreamExtent> StoredOf(long start, long length) => _volume.StoredOf(start, length);

    /// <inheritdoc cref="FileSystemSource.ReadExactly"/>
    public void Read(long offset, Span<byte> buffer) => _volume.ReadExactly(offset, buffer);

    /// <summary>Refuses what would be misread.</summary>
    private void Judge(int version)
    {
        if (!IsChecked && ((version & VersionMask) != 4 || (version & DirectoriesOfToday) == 0 || (version & SharedBit) != 0))
        {
            throw new GuestException($"its version is not handled (0x{version:x})");
        }

        uint later = !IsChecked && (version & MoreBits) != 0 ? Long(XfsLayout.Superblock.Features2) & ~KnownLaterBits : 0;
        if (later != 0)
        {
            throw new GuestException($"it has features that are not handled (version 4, features 0x{later:x})");
        }

        if (_superblock[XfsLayout.Superblock.IsInProgress] != 0)
        {
            throw new GuestException("it was never finished by the tool that made it");
        }

        uint features = IsChecked ? Long(XfsLayout.Superblock.IncompatibleFeatures) : 0;
        if (RefusedFeatures.FirstOrDefault(feature => (features & feature.Bit) != 0).Name is { } name)
        {
            throw new GuestException($"it has a feature that is not handled: {name}");
        }

        if ((features & ~KnownFeatures) is not 0 and var unknown)
        {
            throw new GuestException($"it has features that are not handled (incompatible features 0x{unknown:x})");
        }
    }

    /// <summary>What the superblock says is of when the guest was shut down; after a replay the groups say it, as Linux does it.</summary>
    private ulong CountFree() => _replayed is not null && HasLazyCounts && XfsFreeSpace.Count(this) is { } counted
        ? counted + _replayed.FreedBlocks
        : Quad(XfsLayout.Superblock.FreeBlocks);

    private bool HasLazyCounts => IsChecked || (Long(XfsLayout.Superblock.Features2) & LazyCounts) != 0;

    private bool HasRightSum(int sectorSize)
    {
        byte[] sector = new byte[Math.Clamp(sectorSize, XfsLayout.Superblock.Length, MaxBlockSize)];
        Read(0, sector);
        return XfsChecksum.IsRight(sector, XfsLayout.Superblock.Checksum);
    }

    private ulong KeptBlocks => (ulong)GroupCount * BlocksKeptByGroup;

    private long Bytes(ulong blocks) => (long)Math.Min(blocks, (ulong)(long.MaxValue / BlockSize)) * BlockSize;

    private int Short(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_superblock.AsSpan(offset));

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_superblock.AsSpan(offset));

    private ulong Quad(int offset) => BinaryPrimitives.ReadUInt64BigEndian(_superblock.AsSpan(offset));
}
