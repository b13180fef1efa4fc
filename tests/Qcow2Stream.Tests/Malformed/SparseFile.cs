namespace Qcow2Stream.Tests.Malformed;

/// <summary>A file of any length of which little is stored, that counts what is read of it.</summary>
/// <param name="length">Its length in bytes.</param>
/// <param name="knowsHoles">Whether it can say where its holes are.</param>
internal sealed class SparseFile(long length, bool knowsHoles) : HostFile
{
    private readonly SortedList<long, byte[]> _parts = [];
    private long _bytesRead;

    public override string? Path => "sparse.qcow2";

    /// <summary>All bytes that were read.</summary>
    public long BytesRead => Volatile.Read(ref _bytesRead);

    /// <summary>Stores bytes; no two parts overlap.</summary>
    public SparseFile With(long offset, byte[] bytes)
    {
        _parts.Add(offset, bytes);
        return this;
    }

    /// <summary>Its first bytes.</summary>
    public byte[] ToBytes(int count)
    {
        byte[] bytes = new byte[count];
        Read(0, bytes);
        return bytes;
    }

    public override long GetAllocatedLength() => knowsHoles ? _parts.Values.Sum(p => (long)p.Length) : length;

    public override (bool IsHole, long Length) GetRegion(long hostOffset, long maxLength)
    {
        foreach ((long offset, byte[] bytes) in knowsHoles ? _parts : [])
        {
            if (hostOffset < offset + bytes.Length)
            {
                return hostOffset < offset
                    ? (true, Math.Min(maxLength, offset - hostOffset))
                    : (false, Math.Min(maxLength, offset + bytes.Length - hostOffset));
            }
        }

        return (knowsHoles, Math.Min(maxLength, length - hostOffset));
    }

    protected override long ReadLength() => length;

    protected override int Read(long hostOffset, Span<byte> buffer)
    {
        int read = (int)Math.Clamp(length - hostOffset, 0, buffer.Length);
        buffer[..read].Clear();
        foreach ((long offset, byte[] bytes) in _parts)
        {
            long start = Math.Max(offset, hostOffset);
            long end = Math.Min(offset + bytes.Length, hostOffset + read);
            if (start < end)
            {
                bytes.AsSpan((int)(start - offset), (int)(end - start)).CopyTo(buffer[(int)(start - hostOffset)..]);
            }
        }

        Interlocked.Add(ref _bytesRead, read);
        return read;
    }

    protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Read(hostOffset, buffer.Span));

    protected override void Dispose(bool disposing)
    {
    }
}
