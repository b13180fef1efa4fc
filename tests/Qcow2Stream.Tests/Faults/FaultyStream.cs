namespace Qcow2Stream.Tests.Faults;

/// <summary>One file of a <see cref="FaultyHost"/>, which says what becomes of each read.</summary>
internal sealed class FaultyStream(FaultyHost host, string name, byte[] content) : Stream
{
    private int _disposals;

    public string Name { get; } = name;

    /// <summary>How often it was disposed.</summary>
    public int Disposals => Volatile.Read(ref _disposals);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => host.LengthOf(Name);

    public override long Position { get; set; }

    public override long Seek(long offset, SeekOrigin origin)
    {
        Assert.Equal(SeekOrigin.Begin, origin);
        return Position = offset;
    }

    public override int Read(Span<byte> buffer)
    {
        int read = host.NextRead();
        host.Reading?.Invoke(read, false, default).GetAwaiter().GetResult();
        return Give(read, buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = host.NextRead();
        if (host.IsSlow)
        {
            await Task.Yield();
        }

        if (host.Reading is { } reading)
        {
            await reading(read, true, cancellationToken).ConfigureAwait(false);
        }

        return Give(read, buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        Interlocked.Increment(ref _disposals);
        base.Dispose(disposing);
        if (host.FailsToClose)
        {
            throw new IOException($"'{Name}' can't be closed");
        }
    }

    private int Give(int read, Span<byte> buffer)
    {
        Assert.Equal(0, Disposals);
        int given = host.Serve(read, Name, Position, buffer.Length);
        content.AsSpan((int)Position, given).CopyTo(buffer);

        // What follows the bytes given must not be taken as read.
        buffer[given..].Fill(0xBD);
        Position += given;
        return given;
    }
}
