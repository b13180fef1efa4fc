namespace Qcow2Stream.Benchmarks.Images;

/// <summary>The part of an image file that holds data clusters, and where in it runs are put.</summary>
/// <param name="sharedClusters">
/// Null: every guest cluster gets a place of its own. Else the area has that many clusters and runs lie anywhere in it,
/// over one another, so that a large disk with every cluster allocated is a small file, without a hole.
/// </param>
internal sealed class DataArea(int? sharedClusters)
{
    private int _taken;

    public int Clusters => sharedClusters ?? _taken;

    /// <summary>A place for a run that must not go on from <paramref name="previousEnd"/>.</summary>
    public int Place(int count, int? previousEnd, SeededRandom random)
    {
        if (sharedClusters is not { } clusters)
        {
            int place = _taken == previousEnd ? _taken + 1 : _taken;
            _taken = place + count;
            return place;
        }

        while (true)
        {
            int place = random.Next(clusters - count + 1);
            if (place != previousEnd)
            {
                return place;
            }
        }
    }
}
