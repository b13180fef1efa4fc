namespace Qcow2Stream.Nbd.Tests;

/// <summary>An image in memory whose reads can be held up, or made to fail.</summary>
internal sealed class GatedFile(byte[] content, string? path = null) : HostFile
{
    private volatile Action<long> _before = _ => { };

    /// <summary>Is called with the offset of each read in the file, in the reader's thread.</summary>
    public Action<long> Before
    {
        get => _before;
        set => _before = value;
    }

    public bool IsDisposed { get; private set; }

    public override string? Path => path;

    protected override long ReadLength() => content.Length;

    protected override int Read(long hostOffset, Span<byte> buffer)
    {
        Before(hostOffset);
        ReadOnlySpan<byte> rest = hostOffset < content.Length ? content.AsSpan((int)hostOffset) : [];
        int count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return count;
    }

    protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        new(Read(hostOffset, buffer.Span));

    protected override void Dispose(bool disposing) => IsDisposed = true;
}
