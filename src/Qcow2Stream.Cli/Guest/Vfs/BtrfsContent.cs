namespace Qcow2Stream.Cli.Guest.Vfs;

/// <summary>
/// The content of a file on Btrfs, out of the extents that its reader finds. (The reader's own stream shows zeros for
/// what is compressed inside the tree, wrong bytes for a part of a compressed extent, and knows no zstd.)
/// </summary>
internal sealed class BtrfsContent : Stream
{
    private readonly Stream _volume;
    private readonly List<BtrfsExtent> _extents;
    private BtrfsExtent? _decodedExtent;
    private byte[] _decoded = [];

    public BtrfsContent(Stream volume, long length, IEnumerable<BtrfsExtent> extents)
    {
        _volume = volume;
        Length = length;
        _extents = [.. extents.OrderBy(e => e.Start)];
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position { get; set; }

    /// <summary>Reads some bytes: no more than one extent has.</summary>
    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Clamp(Length - Position, 0, buffer.Length);
        int next = _extents.FindIndex(e => e.Start + e.Length > Position);
        if (next < 0 || _extents[next].Start > Position)
        {
            // Between extents there is a hole.
            count = next < 0 ? count : (int)Math.Min(count, _extents[next].Start - Position);
            buffer[..count].Clear();
        }
        else
        {
            BtrfsExtent extent = _extents[next];
            long offset = Position - extent.Start;
            count = (int)Math.Min(count, extent.Length - offset);
            ReadExtent(extent, offset, buffer[..count]);
        }

        Position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => Position,
        _ => Length,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void ReadExtent(BtrfsExtent extent, long offset, Span<byte> buffer)
    {
        if (extent.Inline is not null || (extent.Compression != 0 && extent.VolumeOffset is not null))
        {
            if (_decodedExtent != extent)
            {
                _decoded = extent.Decode(_volume);
                _decodedExtent = extent;
            }

            _decoded.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        }
        else if (extent.VolumeOffset is { } start)
        {
            _volume.Position = start + extent.Skipped + offset;
            _volume.ReadExactly(buffer);
        }
        else
        {
            buffer.Clear();
        }
    }
}
