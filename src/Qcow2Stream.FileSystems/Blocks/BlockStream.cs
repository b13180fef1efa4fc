using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>A cursor over a source, as DiscUtils' readers need it, and other code that reads streams.</summary>
internal sealed class BlockStream(IBlockSource source) : SparseStream
{
    private long _position;
    private bool _disposed;

    public override bool CanRead => !_disposed;

    public override bool CanSeek => !_disposed;

    public override bool CanWrite => false;

    public override long Length
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return source.Length;
        }
    }

    public override long Position
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _position;
        }

        set
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override IEnumerable<StreamExtent> Extents => GetExtentsInRange(0, Length);

    public override IEnumerable<StreamExtent> GetExtentsInRange(long start, long count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return source.GetExtents(start, count);
    }

    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int read = source.ReadAt(_position, buffer);
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int ReadByte()
    {
        byte value = 0;
        return Read(new Span<byte>(ref value)) == 0 ? -1 : value;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        try
        {
            return new(Read(buffer.Span));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return ValueTask.FromException<int>(e);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long from = origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            SeekOrigin.End => source.Length,
            _ => throw new ArgumentException("The origin must be Begin, Current or End.", nameof(origin)),
        };

        if (offset < -from || offset > long.MaxValue - from)
        {
            throw new IOException("An attempt was made to move the position before the beginning, or past the largest position, of the stream.");
        }

        return _position = from + offset;
    }

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw ReadOnlyStream();

    public override void Write(byte[] buffer, int offset, int count) => throw ReadOnlyStream();

    public override void Write(ReadOnlySpan<byte> buffer) => throw ReadOnlyStream();

    public override void WriteByte(byte value) => throw ReadOnlyStream();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => throw ReadOnlyStream();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw ReadOnlyStream();

    public override void Clear(int count) => throw ReadOnlyStream();

    public override ValueTask ClearAsync(int count, CancellationToken cancellationToken = default) => throw ReadOnlyStream();

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        base.Dispose(disposing);
    }

    private static NotSupportedException ReadOnlyStream() => new("The stream is read-only: guests are never written to.");
}
