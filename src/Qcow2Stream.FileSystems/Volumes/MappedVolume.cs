using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>
/// A volume whose bytes lie in others. One translation answers reads and extents. Any number of threads may read at once.
/// </summary>
internal abstract class MappedVolume(long length, int sectorSize = BlockSource.DefaultSectorSize) : IBlockSource
{
    // Of shorter pieces it isn't worth asking where their holes are: a map of small stripes would be asked for millions.
    private const int LeastToAsk = 32 << 10;

    public long Length { get; } = length;

    public int SectorSize => sectorSize;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int count = (int)this.Clip(offset, buffer.Length);
        for (int done = 0; done < count;)
        {
            Placement here = Locate(offset + done);
            Span<byte> part = buffer.Slice(done, (int)Math.Min(here.Length, count - done));
            if (here.Source is null)
            {
                part.Clear();
            }
            else if (here.Offset < 0 || here.Offset > here.Source.Length - part.Length)
            {
                throw new GuestException($"it lies past the end of what it is on, which has {here.Source.Length} bytes");
            }
            else
            {
                here.Source.ReadExactly(here.Offset, part);
            }

            done += part.Length;
        }

        return count;
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => StreamExtent.Union(Stored(start, start + this.Clip(start, length)));

    /// <summary>Where the bytes from a place inside the volume on lie.</summary>
    protected abstract Placement Locate(long offset);

    private IEnumerable<StreamExtent> Stored(long start, long end)
    {
        for (long at = start; at < end;)
        {
            Placement here = Locate(at);
            long length = Math.Min(here.Length, end - at);
            if (here.Source is not null && here.Length < LeastToAsk)
            {
                yield return new StreamExtent(at, length);
            }
            else if (here.Source is not null)
            {
                foreach (StreamExtent extent in here.Source.GetExtents(here.Offset, length))
                {
                    yield return new StreamExtent(at + extent.Start - here.Offset, extent.Length);
                }
            }

            at += length;
        }
    }
}
