namespace Qcow2Stream.Tests.Check;

/// <summary>A stream that continues with zeros after its bytes, without end.</summary>
internal sealed class EndlessStream(byte[] start, long length) : Stream
{
    private long _position;

    public bool IsDisposed { get; private set; }

    public int Reads { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => _position = value;
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        Assert.Equal(SeekOrigin.Begin, origin);
        return _position = offset;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        Reads++;
        int count = (int)Math.Clamp(length - _position, 0, buffer.Length);
        buffer[..count].Clear();
        if (_position < start.Length)
        {
            int stored = (int)Math.Min(count, start.Length - _position);
            start.AsSpan((int)_position, stored).CopyTo(buffer);
        }

        _position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
