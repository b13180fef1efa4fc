namespace Qcow2Stream.Cli.Guest.Vfs;

/// <summary>
/// The content of a file on Btrfs, out of the extents that its reader finds. (The reader's own stream shows zeros for
/// what is compressed inside the tree, wrong bytes for a part of a compressed extent, and knows no zstd.)
/// </summary>
internal sealed class BtrfsContent(Stream volume, long length, IEnumerable<BtrfsExtent> extents) : GuestContent(length)
{
    private readonly List<BtrfsExtent> _extents = [.. extents.OrderBy(e => e.Start)];
    private BtrfsExtent? _decodedExtent;
    private byte[] _decoded = [];

    protected override int ReadPiece(long position, Span<byte> buffer)
    {
        int next = _extents.FindIndex(e => e.Start + e.Length > position);
        if (next < 0 || _extents[next].Start > position)
        {
            // Between extents there is a hole.
            int hole = next < 0 ? buffer.Length : (int)Math.Min(buffer.Length, _extents[next].Start - position);
            buffer[..hole].Clear();
            return hole;
        }

        BtrfsExtent extent = _extents[next];
        long offset = position - extent.Start;
        int count = (int)Math.Min(buffer.Length, extent.Length - offset);
        ReadExtent(extent, offset, buffer[..count]);
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
            volume.Position = start + extent.Skipped + offset;
            volume.ReadExactly(buffer);
        }
        else
        {
            buffer.Clear();
        }
    }
}
