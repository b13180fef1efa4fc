using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>A part of another source, such as a partition; what the other doesn't have of it is missing at its end.</summary>
internal sealed class PartSource : IBlockSource
{
    private readonly IBlockSource _whole;
    private readonly long _start;

    public PartSource(IBlockSource whole, long start, long length, int sectorSize)
    {
        Length = whole.Clip(start, length);
        SectorSize = sectorSize;
        (_whole, _start) = (whole, Length == 0 ? 0 : start);
    }

    public long Length { get; }

    public int SectorSize { get; }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int count = (int)this.Clip(offset, buffer.Length);
        return count == 0 ? 0 : _whole.ReadAt(_start + offset, buffer[..count]);
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long inside = this.Clip(start, length);
        return inside == 0 ? [] : Shifted(start, inside);
    }

    private IEnumerable<StreamExtent> Shifted(long start, long length)
    {
        foreach (StreamExtent extent in _whole.GetExtents(_start + start, length))
        {
            long first = Math.Max(extent.Start - _start, start);
            long end = Math.Min(extent.Start + extent.Length - _start, start + length);
            if (first < end)
            {
                yield return new StreamExtent(first, end - first);
            }
        }
    }
}
