using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>What a stream holds. It has one cursor: reads take turns.</summary>
internal sealed class StreamSource(Stream stream) : IBlockSource
{
    // How many extents are asked for at once: nobody else may read meanwhile.
    private const int ExtentsAtOnce = 1024;

    private readonly Lock _turn = new();

    public long Length { get; } = stream.Length;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int count = (int)this.Clip(offset, buffer.Length);
        if (count == 0)
        {
            return 0;
        }

        lock (_turn)
        {
            stream.Position = offset;
            return stream.ReadAtLeast(buffer[..count], count, throwOnEndOfStream: false);
        }
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long inside = this.Clip(start, length);
        return stream is SparseStream sparse ? Stored(sparse, start, start + inside) : BlockSource.Whole(this, start, length);
    }

    private IEnumerable<StreamExtent> Stored(SparseStream sparse, long start, long end)
    {
        while (start < end)
        {
            List<StreamExtent> extents;
            lock (_turn)
            {
                extents = [.. sparse.GetExtentsInRange(start, end - start).Take(ExtentsAtOnce)];
            }

            foreach (StreamExtent extent in extents)
            {
                yield return extent;
            }

            start = extents.Count == ExtentsAtOnce ? extents[^1].Start + extents[^1].Length : end;
        }
    }
}
