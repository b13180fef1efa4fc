using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Fat;

/// <summary>The content of a file.</summary>
internal sealed class FatContent(FatVolume volume, uint firstCluster, uint length) : FileContent(length)
{
    private readonly FatChain _chain = new(volume, firstCluster);

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        uint index = (uint)Math.DivRem(offset, volume.ClusterSize, out long skipped);
        if (_chain.Find(index) is not var (cluster, count))
        {
            throw new GuestException($"its chain of clusters ends after {(long)index * volume.ClusterSize} of {Length} bytes");
        }

        int read = (int)Math.Min(buffer.Length, (count * (long)volume.ClusterSize) - skipped);
        volume.ReadClusters(cluster, skipped, buffer[..read]);
        return read;
    }
}
