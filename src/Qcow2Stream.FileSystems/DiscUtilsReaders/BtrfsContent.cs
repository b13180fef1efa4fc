using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>
/// The content of a file on Btrfs, from the extents that its reader finds. (The reader's own stream shows zeros for
/// what is compressed inside the tree, wrong bytes for a part of a compressed extent, and doesn't know zstd.)
/// </summary>
internal sealed class BtrfsContent(IBlockSource volume, long length, IEnumerable<BtrfsExtent> extents) : FileContent(length)
{
    private readonly List<BtrfsExtent> _extents = [.. extents.OrderBy(e => e.Start)];
    private BtrfsExtent? _decodedExtent;
    private byte[] _decoded = [];

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        int next = _extents.FindIndex(e => e.Start + e.Length > offset);
        if (next < 0 || _extents[next].Start > offset)
        {
            // Between extents there is a hole.
            int hole = next < 0 ? buffer.Length : (int)Math.Min(buffer.Length, _extents[next].Start - offset);
            buffer[..hole].Clear();
            return hole;
        }

        BtrfsExtent extent = _extents[next];
        long inside = offset - extent.Start;
        int count = (int)Math.Min(buffer.Length, extent.Length - inside);
        ReadExtent(extent, inside, buffer[..count]);
        return count;
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
