using BitFaster.Caching.Lru;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>
/// The decompressed clusters that were used last, of all layers of a chain together. Safe for any number of threads:
/// a cluster in it is never written to.
/// </summary>
internal sealed class DecompressedClusters(int maxBytes)
{
    // What ConcurrentLru needs at least.
    private const int MinClusters = 3;

    // Beyond this, bookkeeping for clusters of 512 bytes would outgrow the clusters.
    private const int MaxClusters = 4096;

    private readonly Lock _gate = new();
    private int _largestCluster = 1;
    private volatile ConcurrentLru<Key, Kept>? _clusters;

    /// <summary>Says, before the first use, how large a layer's clusters are; the largest sets how many are kept.</summary>
    public void Expect(int clusterSize) => _largestCluster = Math.Max(_largestCluster, clusterSize);

    /// <summary>Copies the part that <paramref name="run"/> covers out of a kept cluster, if that is kept.</summary>
    /// <param name="file">The file with the compressed cluster.</param>
    /// <param name="run">The part.</param>
    /// <param name="buffer">As long as the part.</param>
    /// <param name="isKnown">Whether some of the cluster is kept, if not this part.</param>
    public bool TryCopy(HostFile file, in HostRun run, Span<byte> buffer, out bool isKnown)
    {
        isKnown = false;
        if (_clusters is not { } clusters || !clusters.TryGet(new Key(file, run.HostOffset, run.HostLength), out Kept kept))
        {
            Instruments.ClusterMiss();
            return false;
        }

        isKnown = true;
        if (run.OffsetInCluster + buffer.Length > kept.Length)
        {
            Instruments.ClusterMiss();
            return false;
        }

        kept.Bytes.AsSpan(run.OffsetInCluster, buffer.Length).CopyTo(buffer);
        Instruments.ClusterHit();
        return true;
    }

    /// <summary>Keeps a cluster, or the first <paramref name="length"/> bytes of it.</summary>
    public void Add(HostFile file, in HostRun run, byte[] cluster, int length)
    {
        if (_clusters is null)
        {
            lock (_gate)
            {
                _clusters ??= new ConcurrentLru<Key, Kept>(
                    Environment.ProcessorCount,
                    Math.Clamp(maxBytes / _largestCluster, MinClusters, MaxClusters),
                    EqualityComparer<Key>.Default);
            }
        }

        _clusters.AddOrUpdate(new Key(file, run.HostOffset, run.HostLength), new Kept(cluster, length));
    }

    private readonly record struct Kept(byte[] Bytes, int Length);

    private readonly record struct Key(HostFile File, long HostOffset, long HostLength);
}
