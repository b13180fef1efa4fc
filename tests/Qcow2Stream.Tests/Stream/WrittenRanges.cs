namespace Qcow2Stream.Tests.Streams;

/// <summary>Remembers which ranges were written, neighbours as one.</summary>
internal sealed class WrittenRanges : MemoryStream
{
    public List<(long Start, long Length)> Writes { get; } = [];

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Add(buffer.Length);
        base.Write(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    private void Add(int length)
    {
        if (Writes is [.., var last] && last.Start + last.Length == Position)
        {
            Writes[^1] = (last.Start, last.Length + length);
        }
        else
        {
            Writes.Add((Position, length));
        }
    }
}
