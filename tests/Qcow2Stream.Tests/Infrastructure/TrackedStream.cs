namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A stream over bytes that remembers what was asked of it.</summary>
internal sealed class TrackedStream(byte[] content, long? claimedLength = null) : MemoryStream(content, writable: false)
{
    private readonly List<(long Offset, int Length)> _reads = [];

    public IReadOnlyList<(long Offset, int Length)> Reads => _reads;

    public bool IsDisposed { get; private set; }

    /// <summary>From this many reads on every read fails, so that a loop that should end does.</summary>
    public int MaxReads { get; init; } = int.MaxValue;

    public override long Length => claimedLength ?? base.Length;

    public override int Read(Span<byte> buffer)
    {
        if (_reads.Count == MaxReads)
        {
            throw new IOException("too many reads");
        }

        _reads.Add((Position, buffer.Length));
        return base.Read(buffer);
    }

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
