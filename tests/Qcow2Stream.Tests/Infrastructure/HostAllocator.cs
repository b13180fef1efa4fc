namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>Hands out host clusters and counts the references to them.</summary>
internal sealed class HostAllocator(int clusterBits)
{
    private readonly SortedDictionary<long, ulong> _refcounts = [];
    private readonly HashSet<long> _taken = [];
    private long _next;

    public IEnumerable<KeyValuePair<long, ulong>> Refcounts => _refcounts;

    public long EndOffset => _taken.Count == 0 ? 0 : (_taken.Max() + 1) << clusterBits;

    /// <summary>Takes consecutive clusters that nothing uses yet and returns their offset.</summary>
    public long Allocate(int count, bool referenced = true)
    {
        while (Enumerable.Range(0, count).Any(index => _taken.Contains(_next + index)))
        {
            _next++;
        }

        long offset = _next << clusterBits;
        _next += count;
        Take(offset, (long)count << clusterBits);
        if (referenced)
        {
            Reference(offset, (long)count << clusterBits);
        }

        return offset;
    }

    /// <summary>Keeps the clusters of a range from being handed out.</summary>
    public void Take(long offset, long length)
    {
        foreach (long cluster in ClustersOf(offset, length))
        {
            _taken.Add(cluster);
        }
    }

    public void Reference(long offset, long length)
    {
        foreach (long cluster in ClustersOf(offset, length))
        {
            _refcounts[cluster] = _refcounts.GetValueOrDefault(cluster) + 1;
        }
    }

    public ulong RefcountAt(long offset) => _refcounts.GetValueOrDefault(offset >> clusterBits);

    private IEnumerable<long> ClustersOf(long offset, long length)
    {
        for (long cluster = offset >> clusterBits; cluster << clusterBits < offset + length; cluster++)
        {
            yield return cluster;
        }
    }
}
