namespace Qcow2Stream.Benchmarks.Images;

/// <summary>A disk whose map has an exact number of extents: data here and there in the file, zeros, and nothing.</summary>
internal static class FragmentedDisk
{
    private const int SharedClusters = 256;

    /// <param name="path">Of the image.</param>
    /// <param name="size">The guest disk's, in bytes.</param>
    /// <param name="extents">How many extents the map has.</param>
    /// <param name="written">
    /// True: the data clusters hold data. False: each has a place of its own that was never written, a hole of the host
    /// file, where QEMU looks for holes extent by extent.
    /// </param>
    /// <param name="seed">The same seed makes the same file.</param>
    public static void Write(string path, long size, int extents, bool written, ulong seed)
    {
        SeededRandom random = new(seed);
        DataArea area = new(written ? SharedClusters : null);
        Qcow2Builder description = new() { Size = size };
        List<ClusterRun> runs = new(extents);
        int previousKind = -1;
        int? previousEnd = null;
        foreach ((long first, int count) in RunLengths.Cut(size / description.ClusterSize, extents, random))
        {
            int kind = random.Next(5);
            kind = kind == previousKind ? 2 : kind;
            int? place = kind >= 2 ? area.Place(count, previousEnd, random) : null;
            if (kind >= 1)
            {
                runs.Add(new ClusterRun(first, count, place));
            }

            previousKind = kind;
            previousEnd = place + count;
        }

        new TableImage(description, runs, area.Clusters).WriteTo(path, written ? seed : null);
    }
}
