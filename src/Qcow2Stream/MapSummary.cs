namespace Qcow2Stream;

/// <summary>
/// A map in a few numbers: what of the disk is stored, and what each layer holds, hides and wastes. All sizes are in bytes.
/// See <see cref="MapEnumerator.Summarize"/>.
/// </summary>
public sealed record MapSummary
{
    internal MapSummary()
    {
    }

    /// <summary>The length of the map's range.</summary>
    public required long Length { get; init; }

    /// <summary>How much of it a layer stores, compressed or not, without being hidden.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>How much of it is zeros because an image says so, or by a hole of a raw file.</summary>
    public required long ZeroBytes { get; init; }

    /// <summary>How much of it no layer holds: zeros.</summary>
    public required long UnallocatedBytes { get; init; }

    /// <summary>The layers, the top image first.</summary>
    public required IReadOnlyList<LayerSummary> Layers { get; init; }
}
