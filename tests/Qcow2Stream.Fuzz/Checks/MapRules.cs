namespace Qcow2Stream.Fuzz.Checks;

/// <summary>What must hold for every map, whatever the image.</summary>
internal static class MapRules
{
    /// <summary>An extent starts where the one before it ends, is inside the disk, and gives a position if it is stored.</summary>
    public static void Check(in MapExtent extent, long expectedStart, Qcow2Chain chain)
    {
        if (extent.Start != expectedStart || extent.Length <= 0 || extent.End > chain.Length)
        {
            throw new BrokenInvariantException($"{extent} must start at {expectedStart} and end by {chain.Length}");
        }

        if (extent.Depth < 0 || extent.Depth >= chain.Layers.Count)
        {
            throw new BrokenInvariantException($"{extent}: there are {chain.Layers.Count} layers");
        }

        bool isStored = extent.Kind is MapKind.Data or MapKind.Compressed;
        bool mayBeNowhere = !isStored || chain.Layers[extent.Depth].Format == ImageFormat.Other;
        if ((extent.HostOffset is null && !mayBeNowhere) || extent.HostOffset < 0 || extent.HostLength < 0)
        {
            throw new BrokenInvariantException($"{extent} is stored nowhere");
        }

        long expectedLength = extent.HostOffset is null ? 0 : extent.Length;
        if (extent.Kind != MapKind.Compressed && extent.HostLength != expectedLength)
        {
            throw new BrokenInvariantException($"{extent} takes {extent.HostLength} bytes, not {expectedLength}");
        }
    }

    /// <summary>Two neighbours could not be one.</summary>
    public static void CheckNeighbours(in MapExtent first, in MapExtent second, Qcow2Chain chain)
    {
        if (first.Kind != second.Kind || first.Depth != second.Depth)
        {
            return;
        }

        bool couldBeOne = first.Kind == MapKind.Compressed
            ? first.HostOffset == second.HostOffset && second.Start % (chain.Layers[first.Depth].Header?.ClusterSize ?? 512) != 0
            : first.HostOffset is null ? second.HostOffset is null : first.HostOffset + first.Length == second.HostOffset;
        if (couldBeOne)
        {
            throw new BrokenInvariantException($"{second} continues {first}");
        }
    }
}
