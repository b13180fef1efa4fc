using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>The superblock: what a volume is made of, and which features it has.</summary>
internal sealed class ExtSuperblock
{
    private const int MaxLogBlockSize = 6;
    private const int MaxLogClusterSize = 20;
    private const int SectorsLog = 9;
    private const uint KnownFeatures = ExtLayout.Feature.FileTypes | ExtLayout.Feature.Recover | ExtLayout.Feature.MetaGroups | ExtLayout.Feature.Extents
        | ExtLayout.Feature.SixtyFourBit | ExtLayout.Feature.MultipleMounts | ExtLayout.Feature.FlexibleGroups | ExtLayout.Feature.AttributesInInodes
        | ExtLayout.Feature.ChecksumSeed | ExtLayout.Feature.LargeDirectories | ExtLayout.Feature.InlineData | ExtLayout.Feature.Encryption
        | ExtLayout.Feature.FoldedNames;

    private readonly byte[] _bytes;

    /// <exception cref="GuestException">It is damaged, or has features that aren't known.</exception>
    public ExtSuperblock(byte[] bytes)
    {
        _bytes = bytes;
        uint unknown = Incompatible & ~KnownFeatures;
        int logBlockSize = (int)Math.Min(Field(ExtLayout.Superblock.LogBlockSize), int.MaxValue);
        if (unknown != 0 || logBlockSize > MaxLogBlockSize)
        {
            throw new GuestException(unknown != 0
                ? $"it has features that are not handled (incompatible features 0x{unknown:x})"
                : $"its block size is 2^{logBlockSize + 10}");
        }

        BlockSize = 1024 << logBlockSize;
        InodeSize = Field(ExtLayout.Superblock.Revision) == 0 ? ExtLayout.Inode.BaseLength : ShortField(ExtLayout.Superblock.InodeSize);
        Is64Bit = (Incompatible & ExtLayout.Feature.SixtyFourBit) != 0;
        DescriptorSize = Is64Bit ? ShortField(ExtLayout.Superblock.DescriptorSize) : ExtLayout.Descriptor.SmallLength;
        HasLargeClusters = (ReadOnly & ExtLayout.Feature.LargeClusters) != 0;
        if (InodesPerGroup == 0 || BlocksPerGroup == 0 || InodeSize < ExtLayout.Inode.BaseLength || InodeSize > BlockSize
            || DescriptorSize < ExtLayout.Descriptor.SmallLength || DescriptorSize > BlockSize
            || (HasLargeClusters && (LogClusterSize < logBlockSize || LogClusterSize > MaxLogClusterSize)))
        {
            throw new GuestException("its superblock is damaged");
        }

        if ((ReadOnly & ExtLayout.Feature.Checksums) != 0)
        {
            ChecksumSeed = (Incompatible & ExtLayout.Feature.ChecksumSeed) != 0
                ? Field(ExtLayout.Superblock.ChecksumSeed)
                : Castagnoli.Add(uint.MaxValue, Uuid);
            if (_bytes[ExtLayout.Superblock.ChecksumType] != ExtLayout.Superblock.Castagnoli || !ExtChecksum.IsRightSuperblock(_bytes))
            {
                throw new GuestException("its superblock is damaged: the checksum is wrong");
            }
        }
    }

    public int BlockSize { get; }

    public int InodeSize { get; }

    public int DescriptorSize { get; }

    public bool Is64Bit { get; }

    /// <summary>What the checksums of metadata go on from; null if there are none.</summary>
    public uint? ChecksumSeed { get; }

    /// <summary>Whether descriptors of groups have checksums, and nothing else.</summary>
    public bool HasDescriptorChecksums => (ReadOnly & ExtLayout.Feature.DescriptorChecksums) != 0;

    /// <summary>Whether inodes have checksums: those of other systems have other fields there.</summary>
    public bool HasInodeChecksums => ChecksumSeed is not null && Field(ExtLayout.Superblock.Creator) == 0;

    public ReadOnlySpan<byte> Uuid => _bytes.AsSpan(ExtLayout.Superblock.Uuid, ExtLayout.Superblock.UuidLength);

    public uint InodeCount => Field(ExtLayout.Superblock.InodeCount);

    public uint InodesPerGroup => Field(ExtLayout.Superblock.InodesPerGroup);

    public uint BlocksPerGroup => Field(ExtLayout.Superblock.BlocksPerGroup);

    /// <summary>The block that the first group starts with.</summary>
    public uint FirstDataBlock => Field(ExtLayout.Superblock.FirstDataBlock);

    public ulong BlockCount => Wide(ExtLayout.Superblock.BlockCount, ExtLayout.Superblock.BlockCountHigh);

    public ulong FreeBlocks => Wide(ExtLayout.Superblock.FreeBlocks, ExtLayout.Superblock.FreeBlocksHigh);

    /// <summary>How many blocks are given to files at once.</summary>
    public uint ClusterBlocks => HasLargeClusters ? 1u << (int)(LogClusterSize - Field(ExtLayout.Superblock.LogBlockSize)) : 1;

    /// <summary>How many sectors those are.</summary>
    public uint ClusterSectors => (uint)(ClusterBlocks * (long)BlockSize >> SectorsLog);

    /// <summary>From which group of descriptors on they are in the groups that they describe; null if none are.</summary>
    public uint? FirstMetaGroup => (Incompatible & ExtLayout.Feature.MetaGroups) != 0 ? Field(ExtLayout.Superblock.FirstMetaGroup) : null;

    /// <summary>Whether directories may have 4 GiB or more.</summary>
    public bool HasLargeDirectories => (Incompatible & ExtLayout.Feature.LargeDirectories) != 0;

    /// <summary>Whether the journal holds what the rest of the volume does not.</summary>
    public bool NeedsRecovery => (Incompatible & ExtLayout.Feature.Recover) != 0;

    /// <summary>Whether there is a journal, here or elsewhere.</summary>
    public bool HasJournal => (Compatible & ExtLayout.Feature.Journal) != 0;

    /// <summary>The inode that is the journal; 0 if there is none here.</summary>
    public uint JournalInode => HasJournal ? Field(ExtLayout.Superblock.JournalInode) : 0;

    public string Label => GuestText.FromTerminated(_bytes.AsSpan(ExtLayout.Superblock.Label, ExtLayout.Superblock.LabelLength));

    private bool HasLargeClusters { get; }

    private uint LogClusterSize => Field(ExtLayout.Superblock.LogClusterSize);

    private uint Compatible => Field(ExtLayout.Superblock.CompatibleFeatures);

    private uint Incompatible => Field(ExtLayout.Superblock.IncompatibleFeatures);

    private uint ReadOnly => Field(ExtLayout.Superblock.ReadOnlyFeatures);

    /// <summary>Whether a group starts with a copy of the superblock.</summary>
    public bool HasCopy(uint group) => group == 0 || ((Compatible & ExtLayout.Feature.SparseBackups2) != 0
        ? group == Field(ExtLayout.Superblock.BackupGroups) || group == Field(ExtLayout.Superblock.BackupGroups + sizeof(uint))
        : group == 1 || (ReadOnly & ExtLayout.Feature.SparseBackups) == 0 || IsPower(group, 3) || IsPower(group, 5) || IsPower(group, 7));

    private static bool IsPower(uint value, uint of)
    {
        while (value % of == 0)
        {
            value /= of;
        }

        return value == 1;
    }

    private ulong Wide(int low, int high) => Field(low) | (Is64Bit ? (ulong)Field(high) << 32 : 0);

    private uint Field(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private int ShortField(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(offset));
}
