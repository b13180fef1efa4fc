using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>An item of inodes that were made where there were none: they are all alike, so that not one is in the log.</summary>
internal static class XfsLogCreate
{
    private const byte Version = 3;
    private const int LargestChunk = 64;
    private const int ClusterLength = 8 << 10;
    private const int SmallestInode = 256;

    public static void Replay(XfsLogItem item, XfsVolume volume, XfsLogBlocks blocks, XfsLogCancels cancels, XfsLogBudget budget)
    {
        ReadOnlySpan<byte> bytes = item.Region(0, XfsLogLayout.Create.ItemLength);
        uint group = BinaryPrimitives.ReadUInt32BigEndian(bytes[XfsLogLayout.Create.Group..]);
        uint block = BinaryPrimitives.ReadUInt32BigEndian(bytes[XfsLogLayout.Create.Block..]);
        uint count = BinaryPrimitives.ReadUInt32BigEndian(bytes[XfsLogLayout.Create.Count..]);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes[XfsLogLayout.Create.Length..]);
        int perBlock = volume.BlockSize / volume.InodeSize;
        if (!volume.IsChecked || BinaryPrimitives.ReadUInt32BigEndian(bytes[XfsLogLayout.Create.InodeSize..]) != volume.InodeSize
            || count == 0 || count > Math.Max(LargestChunk, perBlock) || count != (ulong)length * (uint)perBlock || block >= volume.GroupBlocks)
        {
            throw XfsLogItem.Damaged();
        }

        ulong first = ((ulong)group * volume.GroupBlocks) + block;
        uint blocksByCluster = Math.Max(1, ClusterOf(volume) / (uint)volume.BlockSize);
        uint sectorsByBlock = (uint)(volume.BlockSize / XfsLogBlocks.Sector);
        for (uint cluster = 0; cluster < length; cluster += blocksByCluster)
        {
            if (cancels.Has((first + cluster) * sectorsByBlock, blocksByCluster * sectorsByBlock))
            {
                return;
            }
        }

        byte[] inode = new byte[volume.InodeSize];
        BinaryPrimitives.WriteUInt16BigEndian(inode, XfsInode.Magic);
        inode[XfsLayout.Inode.Version] = Version;
        bytes.Slice(XfsLogLayout.Create.Generation, sizeof(uint)).CopyTo(inode.AsSpan(XfsLayout.Inode.Generation));
        BinaryPrimitives.WriteUInt32BigEndian(inode.AsSpan(XfsLayout.Inode.NextUnlinked), uint.MaxValue);
        volume.MetadataUuid.CopyTo(inode.AsSpan(XfsLayout.Inode.Uuid));
        budget.Work(count * inode.Length);
        long offset = blocks.OffsetOf(first * sectorsByBlock, 1);
        ulong number = volume.InodeAt(group, block);
        for (uint index = 0; index < count; index++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(inode.AsSpan(XfsLayout.Inode.Number), number + index);
            XfsLogInode.Write(volume, blocks, offset + (index * inode.Length), inode);
        }
    }

    /// <summary>How many bytes of inodes Linux has in one buffer: more of larger inodes, if their places allow it.</summary>
    private static uint ClusterOf(XfsVolume volume)
    {
        uint wanted = (uint)(ClusterLength * (volume.InodeSize / SmallestInode));
        return (ulong)volume.InodeAlignment * (uint)volume.BlockSize >= wanted ? wanted : ClusterLength;
    }
}
