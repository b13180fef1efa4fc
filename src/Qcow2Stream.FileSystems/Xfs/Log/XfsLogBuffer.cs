using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>An item of a buffer: which of its chunks were changed, and these.</summary>
internal sealed class XfsLogBuffer
{
    private readonly XfsLogItem _item;

    public XfsLogBuffer(XfsLogItem item)
    {
        _item = item;
        if (MapWords > (XfsLogLayout.Buffer.MaxLength / XfsLogLayout.Buffer.Chunk / 32) + 1)
        {
            throw XfsLogItem.Damaged();
        }

        item.Region(0, XfsLogLayout.Buffer.Map + ((int)MapWords * sizeof(uint)));
    }

    public XfsLogBufferFlags Flags => (XfsLogBufferFlags)_item.Short(XfsLogLayout.Buffer.Flags);

    public ulong Place => _item.Quad(XfsLogLayout.Buffer.Place);

    public uint Sectors => _item.Short(XfsLogLayout.Buffer.Length);

    private uint MapWords => _item.Long(XfsLogLayout.Buffer.MapLength);

    /// <summary>Writes what was changed, unless the volume has it, or what came later.</summary>
    public void Replay(XfsVolume volume, XfsLogBlocks blocks, ulong lsn)
    {
        long offset = blocks.OffsetOf(Place, Sectors);
        int length = (int)Sectors * XfsLogBlocks.Sector;
        if ((Flags & XfsLogBufferFlags.Quota) != 0 || (volume.IsChecked && IsNewer(volume, blocks.Read(offset, XfsLogBlocks.Sector), lsn)))
        {
            return;
        }

        for (int chunk = 0, region = 1; ; region++)
        {
            chunk = FirstChanged(chunk);
            if (chunk < 0)
            {
                break;
            }

            ReadOnlySpan<byte> bytes = _item.Region(region, XfsLogLayout.Buffer.Chunk);
            int chunks = Math.Min(bytes.Length / XfsLogLayout.Buffer.Chunk, ChangedFrom(chunk));
            int start = chunk * XfsLogLayout.Buffer.Chunk;
            bytes = bytes[..(chunks * XfsLogLayout.Buffer.Chunk)];
            if (start + bytes.Length > length)
            {
                throw XfsLogItem.Damaged();
            }

            if ((Flags & XfsLogBufferFlags.Inodes) != 0)
            {
                WriteUnlinked(volume, blocks, offset, start, bytes);
            }
            else
            {
                blocks.Write(offset + start, bytes);
            }

            chunk += chunks;
        }

        if (volume.IsChecked && (Flags & XfsLogBufferFlags.Inodes) == 0)
        {
            blocks.SealLater(offset, length);
        }
    }

    /// <summary>Whether a block of this file system was written after a transaction.</summary>
    private static bool IsNewer(XfsVolume volume, ReadOnlySpan<byte> block, ulong lsn)
    {
        if (XfsLogKind.Of(block) is not { } kind)
        {
            return false;
        }

        int uuid = block.StartsWith("XFSB"u8) && volume.HasMetadataUuid ? XfsLayout.Superblock.MetaUuid : kind.Uuid;
        ulong written = BinaryPrimitives.ReadUInt64BigEndian(block[kind.Lsn..]);
        return block.Slice(uuid, XfsLayout.Own.UuidLength).SequenceEqual(volume.MetadataUuid) && written is not (0 or ulong.MaxValue) && written >= lsn;
    }

    /// <summary>Of inodes only that is taken which was unlinked after each: all else is in their own items.</summary>
    private static void WriteUnlinked(XfsVolume volume, XfsLogBlocks blocks, long buffer, int start, ReadOnlySpan<byte> bytes)
    {
        int first = (start / volume.InodeSize * volume.InodeSize) + XfsLayout.Inode.NextUnlinked;
        for (int field = first; field < start + bytes.Length; field += volume.InodeSize)
        {
            if (field < start)
            {
                continue;
            }

            long offset = buffer + field - XfsLayout.Inode.NextUnlinked;
            byte[] inode = blocks.Read(offset, volume.InodeSize);
            bytes.Slice(field - start, sizeof(uint)).CopyTo(inode.AsSpan(XfsLayout.Inode.NextUnlinked));
            XfsLogInode.Write(volume, blocks, offset, inode);
        }
    }

    /// <summary>The first changed chunk from one on; -1 if none is.</summary>
    private int FirstChanged(int chunk)
    {
        while (chunk < MapWords * 32 && !IsChanged(chunk))
        {
            chunk++;
        }

        return chunk < MapWords * 32 ? chunk : -1;
    }

    /// <summary>How many chunks were changed that follow each other.</summary>
    private int ChangedFrom(int chunk)
    {
        int count = 0;
        while (chunk + count < MapWords * 32 && IsChanged(chunk + count))
        {
            count++;
        }

        return count;
    }

    private bool IsChanged(int chunk) => (_item.Long(XfsLogLayout.Buffer.Map + (chunk / 32 * sizeof(uint))) >> (chunk % 32) & 1) != 0;
}
