using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>The groups that a volume is divided into, each with a descriptor that says where its inodes are. Safe for several threads.</summary>
internal sealed class ExtGroups(ExtVolume volume, ExtSuperblock superblock)
{
    // Their descriptors have 256 MiB, their blocks half a pebibyte: more are not counted.
    private const uint MaxCounted = 1 << 22;

    // By the number of the group.
    private readonly ConcurrentDictionary<uint, ulong> _tables = [];

    private int PerBlock => superblock.BlockSize / superblock.DescriptorSize;

    private ulong Blocks => superblock.BlockCount - Math.Min(superblock.BlockCount, superblock.FirstDataBlock);

    private long Count => (long)((Blocks / superblock.BlocksPerGroup) + (Blocks % superblock.BlocksPerGroup == 0 ? 0u : 1u));

    /// <summary>The first block of a group's inodes.</summary>
    public ulong InodeTable(uint group) => _tables.GetOrAdd(group, ReadTable);

    /// <summary>How many blocks are free: after a crash the superblock's number is an old one.</summary>
    public long CountFree()
    {
        if (Count > MaxCounted)
        {
            return (long)Math.Min(superblock.FreeBlocks, long.MaxValue);
        }

        long free = 0;
        for (long first = 0; first < Count; first += PerBlock)
        {
            byte[] descriptors = volume.ReadBlock(BlockOf((uint)first));
            for (int index = 0; index < Math.Min(PerBlock, Count - first); index++)
            {
                ReadOnlySpan<byte> descriptor = descriptors.AsSpan(index * superblock.DescriptorSize, superblock.DescriptorSize);
                Judge((uint)(first + index), descriptor);
                free += FreeIn(descriptor) * (long)superblock.ClusterBlocks;
            }
        }

        return free;
    }

    private ulong ReadTable(uint group)
    {
        byte[] descriptor = new byte[superblock.DescriptorSize];
        volume.ReadBlocks(BlockOf(group), group % PerBlock * superblock.DescriptorSize, descriptor);
        Judge(group, descriptor);
        return BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(ExtLayout.Descriptor.InodeTable))
            | (IsLarge ? (ulong)BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(ExtLayout.Descriptor.InodeTableHigh)) << 32 : 0);
    }

    private void Judge(uint group, ReadOnlySpan<byte> descriptor)
    {
        if (!ExtChecksum.IsRightDescriptor(superblock, group, descriptor))
        {
            throw new GuestException($"the descriptor of group {group} is damaged: the checksum is wrong, in block {BlockOf(group)}");
        }
    }

    private bool IsLarge => superblock.DescriptorSize >= ExtLayout.Descriptor.LargeLength;

    private uint FreeIn(ReadOnlySpan<byte> descriptor) => BinaryPrimitives.ReadUInt16LittleEndian(descriptor[ExtLayout.Descriptor.FreeBlocks..])
        | (IsLarge ? (uint)BinaryPrimitives.ReadUInt16LittleEndian(descriptor[ExtLayout.Descriptor.FreeBlocksHigh..]) << 16 : 0);

    /// <summary>
    /// The block that a group's descriptor is in. All follow the superblock; or each block of descriptors is in the first of the groups that it describes,
    /// behind the copy of the superblock there.
    /// </summary>
    private ulong BlockOf(uint group)
    {
        uint number = group / (uint)PerBlock;
        ulong superblockBlock = (ulong)(ExtLayout.Superblock.Offset / superblock.BlockSize);
        if (superblock.FirstMetaGroup is not { } meta || number < meta)
        {
            return superblockBlock + 1 + number;
        }

        uint first = number * (uint)PerBlock;
        ulong start = ((ulong)first * superblock.BlocksPerGroup) + superblock.FirstDataBlock;

        // With clusters of several blocks the first group starts with block 0, and its superblock is in block 1 if blocks are small.
        bool isBehind = first == 0 && superblockBlock > superblock.FirstDataBlock;
        return start + (superblock.HasCopy(first) ? 1u : 0u) + (isBehind ? 1u : 0u);
    }
}
