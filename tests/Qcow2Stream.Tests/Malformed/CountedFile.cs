namespace Qcow2Stream.Tests.Malformed;

/// <summary>A file in memory that counts what is read of it, and fails once that is more than any use has a right to.</summary>
internal sealed class CountedFile(byte[] content) : MemoryStream(content, writable: false)
{
    public const int MostReads = 10_000;
    public const long MostBytes = 16 << 20;

    private int _reads;
    private long _bytes;

    public int Reads => _reads;

    public long BytesRead => _bytes;

    public bool IsExhausted => Reads > MostReads || BytesRead > MostBytes;

    public override int Read(Span<byte> buffer)
    {
        Interlocked.Increment(ref _reads);
        Interlocked.Add(ref _bytes, Math.Clamp(Length - Position, 0, buffer.Length));
        return IsExhausted ? throw new IOException("too much is read") : base.Read(buffer);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));
}
