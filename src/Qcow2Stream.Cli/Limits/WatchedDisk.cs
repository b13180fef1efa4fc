using DiscUtils.Streams;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli.Limits;

/// <summary>A disk that tells the process's limits when it is read.</summary>
internal sealed class WatchedDisk(Qcow2Chain disk) : IBlockSource, IDisposable
{
    private readonly IBlockSource _source = BlockSource.FromChain(disk);

    public long Length => _source.Length;

    public int SectorSize => _source.SectorSize;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        ProcessLimits.Renew();
        return _source.ReadAt(offset, buffer);
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => _source.GetExtents(start, length);

    public void Dispose() => disk.Dispose();
}
