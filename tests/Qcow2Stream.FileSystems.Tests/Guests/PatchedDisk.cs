using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A disk of which some bytes are others, too large to be kept in memory.</summary>
internal sealed class PatchedDisk : IBlockSource, IDisposable
{
    private readonly Qcow2Chain _chain;
    private readonly IBlockSource _source;
    private readonly SortedDictionary<long, byte> _changed = [];

    public PatchedDisk(string name)
    {
        _chain = Qcow2Chain.Open(GuestImages.Disk(name));
        _source = BlockSource.FromChain(_chain);
    }

    public long Length => _source.Length;

    public int SectorSize => _source.SectorSize;

    public byte this[long offset]
    {
        get => Read(offset, 1)[0];
        set => _changed[offset] = value;
    }

    /// <summary>Goes back to the disk as it is.</summary>
    public void Restore() => _changed.Clear();

    public byte[] Read(long offset, int length)
    {
        byte[] bytes = new byte[length];
        Assert.Equal(length, ReadAt(offset, bytes));
        return bytes;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            _changed[offset++] = value;
        }
    }

    /// <summary>The places of what is stored and not zero.</summary>
    public List<long> Used()
    {
        List<long> used = [];
        foreach (StreamExtent extent in _source.GetExtents(0, Length))
        {
            byte[] bytes = Read(extent.Start, (int)extent.Length);
            used.AddRange(Enumerable.Range(0, bytes.Length).Where(i => bytes[i] != 0).Select(i => extent.Start + i));
        }

        return used;
    }

    /// <summary>Where a word stands at the start of a sector, from a place on.</summary>
    public long Find(ReadOnlySpan<byte> word, long from)
    {
        foreach (StreamExtent extent in _source.GetExtents(from, Length - from))
        {
            byte[] bytes = Read(extent.Start, (int)extent.Length);
            for (int at = (int)(-extent.Start & (SectorSize - 1)); at < bytes.Length; at += SectorSize)
            {
                if (bytes.AsSpan(at).StartsWith(word))
                {
                    return extent.Start + at;
                }
            }
        }

        throw new InvalidOperationException("not there");
    }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int read = _source.ReadAt(offset, buffer);
        foreach ((long place, byte value) in _changed)
        {
            if (place >= offset && place < offset + read)
            {
                buffer[(int)(place - offset)] = value;
            }
        }

        return read;
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => _source.GetExtents(start, length);

    public void Dispose() => _chain.Dispose();
}
