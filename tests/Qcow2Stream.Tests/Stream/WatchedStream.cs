namespace Qcow2Stream.Tests.Streams;

/// <summary>Bytes in memory that count the reads of them, and can say no to seeking or reading.</summary>
internal sealed class WatchedStream(byte[] bytes) : MemoryStream(bytes, writable: false)
{
    private int _reads;

    public int Reads => _reads;

    public bool IsDisposed { get; private set; }

    /// <summary>Called before each read, with its number, from 1 on.</summary>
    public Action<int>? Reading { get; set; }

    public bool Seekable { get; init; } = true;

    public bool Readable { get; init; } = true;

    /// <summary>The most bytes that one read gives.</summary>
    public int MaxRead { get; init; } = int.MaxValue;

    public override bool CanSeek => Seekable && base.CanSeek;

    public override bool CanRead => Readable && base.CanRead;

    public override int Read(Span<byte> buffer)
    {
        CountRead();
        return base.Read(buffer[..Math.Min(buffer.Length, MaxRead)]);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        CountRead();
        return base.ReadAsync(buffer[..Math.Min(buffer.Length, MaxRead)], cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }

    private void CountRead()
    {
        int reads = Interlocked.Increment(ref _reads);
        Reading?.Invoke(reads);
    }
}
