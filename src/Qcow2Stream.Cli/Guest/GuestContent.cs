namespace Qcow2Stream.Cli.Guest;

/// <summary>The content of a file of the guest, read piece by piece.</summary>
internal abstract class GuestContent(long length) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = length;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Clamp(Length - Position, 0, buffer.Length);
        int read = count == 0 ? 0 : ReadPiece(Position, buffer[..count]);
        Position += read;
        return read;
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

    /// <summary>Fills the start of <paramref name="buffer"/>, which lies inside the file: as much as is in one place.</summary>
    /// <returns>How many bytes; at least one.</returns>
    protected abstract int ReadPiece(long position, Span<byte> buffer);
}
