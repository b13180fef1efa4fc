namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>One entry of the map, with qemu-img's fields.</summary>
internal sealed record ExpectedExtent(
    long Start, long Length, int Depth, bool Present, bool Zero, bool Data, bool Compressed, long? Offset)
{
    public long End => Start + Length;

    public ExpectedExtent Clip(long start, long end)
    {
        long newStart = Math.Max(Start, start);
        return this with { Start = newStart, Length = Math.Min(End, end) - newStart, Offset = Offset + (newStart - Start) };
    }

    /// <summary>Whether qemu-img prints the two as one.</summary>
    public bool Continues(ExpectedExtent previous) =>
        Start == previous.End && Depth == previous.Depth && Present == previous.Present && Zero == previous.Zero &&
        Data == previous.Data && Compressed == previous.Compressed && Offset == previous.Offset + previous.Length;
}
