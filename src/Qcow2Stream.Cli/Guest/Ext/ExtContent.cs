namespace Qcow2Stream.Cli.Guest.Ext;

/// <summary>The content of a file.</summary>
internal sealed class ExtContent(ExtVolume volume, ExtInode inode) : Stream
{
    private readonly ExtBlockMap _map = new(volume, inode);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = inode.Length;

    public override long Position { get; set; }

    /// <summary>Reads some bytes: as many as follow each other on the volume, or in a hole.</summary>
    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Clamp(Length - Position, 0, buffer.Length);
        if (count == 0)
        {
            return 0;
        }

        long fileBlock = Math.DivRem(Position, volume.BlockSize, out long offset);
        if (fileBlock >= uint.MaxValue)
        {
            throw new GuestException("it is larger than its map can tell");
        }

        (ulong block, uint blocks) = _map.Find((uint)fileBlock);
        count = (int)Math.Min(count, ((long)blocks * volume.BlockSize) - offset);
        if (block == 0)
        {
            buffer[..count].Clear();
        }
        else
        {
            volume.ReadBlocks(block, offset, buffer[..count]);
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
}
