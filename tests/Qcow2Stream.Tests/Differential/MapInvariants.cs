using DiscUtils.Streams;

namespace Qcow2Stream.Tests.Differential;

/// <summary>What must hold for every map, whatever the chain.</summary>
internal static class MapInvariants
{
    /// <summary>The extents cover the range from its start to its end, and no two neighbours could be one.</summary>
    public static void AssertWhole(IReadOnlyList<MapExtent> map, long start, long end, IReadOnlyList<ImageLayer> layers)
    {
        long position = start;
        for (int index = 0; index < map.Count; index++)
        {
            MapExtent extent = map[index];
            Assert.True(extent.Start == position, $"Extent {index} starts at {extent.Start}, not at {position}.");
            Assert.True(extent.Length > 0, $"Extent {index} at {extent.Start} has the length {extent.Length}.");
            Assert.True(index == 0 || !CouldBeOne(map[index - 1], extent, layers), $"Extent {index} at {extent.Start} continues the one before it.");
            position = extent.Start + extent.Length;
        }

        Assert.Equal(end, position);
    }

    /// <summary>Every extent that has a place names the file of its layer, and lies inside of it.</summary>
    public static void AssertPlaces(IEnumerable<MapExtent> map, IReadOnlyList<ImageLayer> layers)
    {
        foreach (MapExtent extent in map)
        {
            bool isStored = extent.Kind is MapKind.Data or MapKind.Compressed;
            Assert.True(extent.HostOffset is not null || !isStored, $"{extent} is stored nowhere.");
            Assert.Equal(extent.HostOffset is null ? null : layers[extent.Depth].DataPath, extent.HostPath);
            Assert.InRange(extent.Depth, 0, layers.Count - 1);
            if (extent.Kind != MapKind.Compressed)
            {
                Assert.Equal(extent.HostOffset is null ? 0 : extent.Length, extent.HostLength);
            }
        }
    }

    /// <summary>The part of a map inside a range.</summary>
    public static List<MapExtent> Clip(IEnumerable<MapExtent> map, long start, long end, IReadOnlyList<ImageLayer> layers) =>
        [.. map.Where(e => Overlaps(e, start, end)).Select(e => Clip(e, start, end, layers))];

    /// <summary>The parts of a range that the map calls stored, as far as they hang together.</summary>
    public static List<StreamExtent> Stored(IEnumerable<MapExtent> map, long start, long end)
    {
        List<StreamExtent> stored = [];
        foreach (MapExtent extent in map.Where(e => e.Kind is MapKind.Data or MapKind.Compressed && Overlaps(e, start, end)))
        {
            long from = Math.Max(extent.Start, start);
            long to = Math.Min(extent.End, end);
            if (stored.Count > 0 && stored[^1].Start + stored[^1].Length == from)
            {
                from = stored[^1].Start;
                stored.RemoveAt(stored.Count - 1);
            }

            stored.Add(new StreamExtent(from, to - from));
        }

        return stored;
    }

    private static bool Overlaps(in MapExtent extent, long start, long end) =>
        Math.Max(extent.Start, start) < Math.Min(extent.End, end);

    private static MapExtent Clip(MapExtent extent, long start, long end, IReadOnlyList<ImageLayer> layers)
    {
        long cut = Math.Max(0, start - extent.Start);
        long length = Math.Min(extent.End, end) - extent.Start - cut;
        MapExtent clipped = extent with { Start = extent.Start + cut, Length = length };
        return extent.Kind == MapKind.Compressed
            ? clipped with { OffsetInCluster = (int)(clipped.Start % layers[extent.Depth].Header!.ClusterSize) }
            : clipped with { HostOffset = extent.HostOffset + cut, HostLength = extent.HostOffset is null ? 0 : length };
    }

    private static bool CouldBeOne(in MapExtent first, in MapExtent second, IReadOnlyList<ImageLayer> layers)
    {
        if (first.Kind != second.Kind || first.Depth != second.Depth)
        {
            return false;
        }

        if (first.Kind == MapKind.Compressed)
        {
            return first.HostOffset == second.HostOffset && second.Start % layers[first.Depth].Header!.ClusterSize != 0;
        }

        return first.HostOffset is null ? second.HostOffset is null : first.HostOffset + first.Length == second.HostOffset;
    }
}
