namespace Qcow2Stream.FileSystems.Fat;

/// <summary>The clusters of a file or directory, in order: where each part of it is. It is followed as far as is asked for.</summary>
/// <param name="volume">The volume.</param>
/// <param name="first">The first cluster; 0 if there is none.</param>
internal sealed class FatChain(FatVolume volume, uint first)
{
    private readonly List<Run> _runs = [];
    private uint? _next = first == 0 ? null : first;
    private uint _length;

    // A cluster to meet again if the chain leads round in a circle (Brent's method: it moves on after 1, 2, 4, 8… clusters).
    private uint _mark;
    private uint _sinceMark;
    private uint _markLife = 1;

    /// <summary>Finds the cluster with an index in the chain, and how many follow it on the volume; none if the chain is shorter.</summary>
    /// <exception cref="GuestException">The chain is damaged.</exception>
    public (uint Cluster, uint Count)? Find(uint index)
    {
        while (_length <= index && _next is { } cluster)
        {
            Add(cluster);
        }

        if (index >= _length)
        {
            return null;
        }

        int found = _runs.BinarySearch(new Run(index, 0, 0));
        Run run = _runs[found < 0 ? ~found - 1 : found];
        uint skipped = index - run.Index;
        return (run.Cluster + skipped, run.Count - skipped);
    }

    private void Add(uint cluster)
    {
        if (!volume.IsCluster(cluster))
        {
            throw new GuestException($"it starts at cluster {cluster}, which does not exist");
        }

        if (cluster == _mark)
        {
            throw new GuestException($"its chain of clusters leads back to cluster {cluster}");
        }

        if (++_sinceMark == _markLife)
        {
            (_mark, _sinceMark, _markLife) = (cluster, 0, _markLife * 2);
        }

        if (_runs is [.., var last] && last.Cluster + last.Count == cluster)
        {
            _runs[^1] = last with { Count = last.Count + 1 };
        }
        else
        {
            _runs.Add(new Run(_length, cluster, 1));
        }

        _length++;
        _next = volume.Next(cluster);
    }

    private readonly record struct Run(uint Index, uint Cluster, uint Count) : IComparable<Run>
    {
        public int CompareTo(Run other) => Index.CompareTo(other.Index);
    }
}
