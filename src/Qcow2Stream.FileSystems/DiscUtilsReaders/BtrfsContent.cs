using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// The content of a file on Btrfs, from the extents that its reader finds. (The reader's own stream shows zeros for
/// what is compressed inside the tree, wrong bytes for a part of a compressed extent, and doesn't know zstd.)
/// </summary>
internal sealed class BtrfsContent(IBlockSource volume, long length, IEnumerable<BtrfsExtent> extents) : FileContent(length)
{
    private readonly BtrfsExtent[] _extents = [.. extents.OrderBy(e => e.Start)];
    private BtrfsExtent? _decodedExtent;
    private byte[] _decoded = [];

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        int next = FirstThatEndsAfter(offset);
        if (next == _extents.Length || _extents[next].Start > offset)
        {
            // Between extents there is a hole.
            int hole = next == _extents.Length ? buffer.Length : (int)Math.Min(buffer.Length, _extents[next].Start - offset);
            buffer[..hole].Clear();
            return hole;
        }

        BtrfsExtent extent = _extents[next];
        long inside = offset - extent.Start;
        int count = (int)Math.Min(buffer.Length, extent.Length - inside);
        ReadExtent(extent, inside, buffer[..count]);
        return count;
    }

    public override IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long end = start + this.Clip(start, length);
        for (int i = FirstThatEndsAfter(start); i < _extents.Length && _extents[i].Start < end; i++)
        {
            if (_extents[i] is { IsHole: false } extent)
            {
                (long first, long stop) = (Math.Max(extent.Start, start), Math.Min(extent.Start + extent.Length, end));
                if (first < stop)
                {
                    yield return new StreamExtent(first, stop - first);
                    start = stop;
                }
            }
        }
    }

    private int FirstThatEndsAfter(long offset)
    {
        (int low, int high) = (0, _extents.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _extents[middle].Start + _extents[middle].Length > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private void ReadExtent(BtrfsExtent extent, long offset, Span<byte> buffer)
    {
        if (extent.Inline is not null || (extent.Compression != 0 && extent.VolumeOffset is not null))
        {
            if (_decodedExtent != extent)
            {
                _decoded = extent.Decode(volume);
                _decodedExtent = extent;
            }

            _decoded.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        }
        else if (extent.VolumeOffset is { } start)
        {
            volume.ReadExactly(start + extent.Skipped + offset, buffer);
        }
        else
        {
            buffer.Clear();
        }
    }
}
