using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The content of a file, piece by piece as its extents are found in its subvolume's tree. Safe for several threads.</summary>
internal sealed class BtrfsContent(BtrfsVolume volume, BtrfsSubvolume subvolume, BtrfsInode inode) : FileContent(inode.Length)
{
    // The extent that was decoded last, with all bytes that it is a part of.
    private Decoded? _decoded;

    private int SectorSize => volume.Superblock.SectorSize;

    public override IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long end = start + this.Clip(start, length);
        long at = start;
        while (at < end)
        {
            (BtrfsExtent? extent, long count) = ReaderErrors.Call(() => Locate(at, end - at));
            if (extent is not null)
            {
                yield return new StreamExtent(at, count);
            }

            at += count;
        }
    }

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        (BtrfsExtent? extent, long found) = Locate(offset, buffer.Length);
        int count = (int)found;
        if (extent is null)
        {
            buffer[..count].Clear();
        }
        else if (extent.IsDecoded)
        {
            DecodedOf(extent).AsSpan((int)extent.Skipped + (int)(offset - extent.Start), count).CopyTo(buffer);
        }
        else
        {
            volume.Data.Read(extent.Address + extent.Skipped + (ulong)(offset - extent.Start), buffer[..count], inode.IsChecked);
        }

        return count;
    }

    /// <summary>Finds the extent that a byte is in, and how many follow it there; null for a hole.</summary>
    private (BtrfsExtent? Extent, long Count) Locate(long offset, long most)
    {
        BtrfsKey key = new(inode.Number, BtrfsType.Extent, (ulong)offset);
        if (subvolume.Tree.PlaceUpTo(key) is { } place && IsExtent(place.Item))
        {
            BtrfsExtent extent = new(place.Item, SectorSize);
            ThrowIfOverlapped(place, extent);
            long end = extent.Start + extent.Length;
            if (offset < end)
            {
                return (extent.IsHole ? null : extent, Math.Min(most, end - offset));
            }
        }

        foreach (BtrfsItem next in subvolume.Tree.Range(key, key with { Offset = (ulong)(offset + most - 1) }))
        {
            return (null, (long)next.Key.Offset - offset);
        }

        return (null, most);
    }

    private bool IsExtent(BtrfsItem item) => item.Key.Object == inode.Number && item.Key.Type == BtrfsType.Extent;

    /// <summary>Which of two extents has a byte nobody can say: Linux refuses a leaf that has two of them.</summary>
    private void ThrowIfOverlapped(BtrfsPlace place, BtrfsExtent extent)
    {
        bool isReached = place.Before is { } before && IsExtent(before) && new BtrfsExtent(before, SectorSize).End > extent.Start;
        if (isReached || (place.After is { } after && IsExtent(after) && (long)after.Key.Offset < extent.End))
        {
            throw new GuestException($"its extent at byte {extent.Start} is damaged: it overlaps another");
        }
    }

    private byte[] DecodedOf(BtrfsExtent extent)
    {
        if (_decoded is not { } last || !last.Extent.HasBytesOf(extent))
        {
            _decoded = last = new Decoded(extent, extent.Decode(volume.Data, inode.IsChecked, SectorSize));
        }

        return last.Bytes;
    }

    /// <summary>What an extent is a part of.</summary>
    private sealed record Decoded(BtrfsExtent Extent, byte[] Bytes);
}
