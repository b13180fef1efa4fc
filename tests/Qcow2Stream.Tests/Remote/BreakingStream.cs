namespace Qcow2Stream.Tests.Remote;

/// <summary>Gives so many bytes of another stream, and then fails as a broken connection does.</summary>
internal sealed class BreakingStream(System.IO.Stream inner, int left) : System.IO.Stream
{
    private int _left = left;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Take(inner.Read(buffer, offset, Least(count)));

    public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Take(await inner.ReadAsync(buffer.AsMemory(offset, Least(count)), cancellationToken));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Take(await inner.ReadAsync(buffer[..Least(buffer.Length)], cancellationToken));

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Least(int count) => _left > 0 ? Math.Min(count, _left) : throw new IOException("the connection broke");

    private int Take(int read)
    {
        _left -= read;
        return read;
    }
}
