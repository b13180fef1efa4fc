using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>What is free, as the headers of the groups say it: behind each superblock stands one.</summary>
internal static class XfsFreeSpace
{
    // Of a file system of 1 PiB, with groups of 1 TiB, there are a thousand; of one that grew from small there may be more.
    private const uint MaxGroups = 1 << 16;

    /// <summary>Counts the free blocks of all groups, those in lists and trees of what is free among them.</summary>
    /// <returns>Null if one of the headers is damaged, or there are too many.</returns>
    public static ulong? Count(XfsVolume volume)
    {
        if (volume.GroupCount > MaxGroups || !int.IsPow2(volume.SectorSize) || volume.SectorSize < XfsLayout.Superblock.Length)
        {
            return null;
        }

        ulong free = 0;
        byte[] header = new byte[volume.SectorSize];
        for (uint group = 0; group < volume.GroupCount; group++)
        {
            volume.Read(((long)group * volume.GroupBlocks * volume.BlockSize) + volume.SectorSize, header);
            if (!header.AsSpan().StartsWith("XAGF"u8) || Long(header, XfsLayout.FreeSpace.Number) != group
                || (volume.IsChecked && !XfsChecksum.IsRight(header, XfsLayout.FreeSpace.Checksum)))
            {
                return null;
            }

            free += (ulong)Long(header, XfsLayout.FreeSpace.FreeBlocks)
                + Long(header, XfsLayout.FreeSpace.ListCount) + Long(header, XfsLayout.FreeSpace.TreeBlocks);
        }

        return free;
    }

    private static uint Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
