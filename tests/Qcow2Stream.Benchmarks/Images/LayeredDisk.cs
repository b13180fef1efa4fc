namespace Qcow2Stream.Benchmarks.Images;

/// <summary>
/// A chain whose map has an exact number of extents, each in a layer of its own choice, with older data hidden in some
/// of the layers below it. The files are layer-0.qcow2, the base, and so on.
/// </summary>
internal sealed class LayeredDisk
{
    private readonly SeededRandom _random;
    private readonly DataArea[] _areas;
    private readonly List<ClusterRun>[] _layers;
    private readonly int?[] _ends;

    private LayeredDisk(int layers, int? sharedClusters, ulong seed)
    {
        _random = new SeededRandom(seed);
        _areas = [.. Enumerable.Range(0, layers).Select(_ => new DataArea(sharedClusters))];
        _layers = [.. Enumerable.Range(0, layers).Select(_ => new List<ClusterRun>())];
        _ends = new int?[layers];
    }

    public static string NameOf(int layer) => $"layer-{layer}.qcow2";

    /// <param name="directory">Where the layers go.</param>
    /// <param name="size">The guest disk's, in bytes.</param>
    /// <param name="layers">How many images.</param>
    /// <param name="extents">How many extents the map has.</param>
    /// <param name="sharedClusters">See <see cref="DataArea"/>.</param>
    /// <param name="seed">The same seed makes the same files.</param>
    public static void Write(string directory, long size, int layers, int extents, int? sharedClusters, ulong seed)
    {
        LayeredDisk disk = new(layers, sharedClusters, seed);
        disk.Plan(size / new Qcow2Builder().ClusterSize, extents);
        for (int layer = 0; layer < layers; layer++)
        {
            Qcow2Builder description = new()
            {
                Size = size,
                BackingFile = layer == 0 ? null : NameOf(layer - 1),
                BackingFormat = layer == 0 ? null : "qcow2",
            };
            new TableImage(description, disk._layers[layer], disk._areas[layer].Clusters)
                .WriteTo(Path.Combine(directory, NameOf(layer)), seed + (ulong)layer);
        }
    }

    private void Plan(long clusters, int extents)
    {
        int previousZero = -1;
        foreach ((long first, int count) in RunLengths.Cut(clusters, extents, _random))
        {
            int top = _random.Next(_layers.Length);
            bool zero = _random.Next(8) == 0 && top != previousZero;
            Add(top, first, count, zero);
            previousZero = zero ? top : -1;
            for (int hidden = top - 1; hidden >= 0; hidden--)
            {
                if (_random.Next(4) == 0)
                {
                    Add(hidden, first, count, zero: false);
                }
            }
        }
    }

    private void Add(int layer, long first, int count, bool zero)
    {
        int? place = zero ? null : _areas[layer].Place(count, _ends[layer], _random);
        _layers[layer].Add(new ClusterRun(first, count, place));
        _ends[layer] = place + count;
    }
}
