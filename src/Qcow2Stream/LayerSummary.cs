namespace Qcow2Stream;

/// <summary>What one layer of a chain holds, and how: part of a <see cref="MapSummary"/>. All sizes are in bytes.</summary>
public sealed record LayerSummary
{
    internal LayerSummary()
    {
    }

    /// <summary>The layer's place in the chain: 0 is the top image.</summary>
    public required int Depth { get; init; }

    /// <summary>The file that holds its data, see <see cref="ImageLayer.DataPath"/>; null for a stream without a name.</summary>
    public string? Path { get; init; }

    /// <summary>QEMU's name for its format.</summary>
    public required string FormatName { get; init; }

    /// <summary>How much of the disk it stores as it is; holes of a raw file not counted.</summary>
    public long DataBytes { get; init; }

    /// <summary>How much of the disk it stores in compressed clusters, decompressed.</summary>
    public long CompressedBytes { get; init; }

    /// <summary>How much of its file those compressed clusters take.</summary>
    public long CompressedHostBytes { get; init; }

    /// <summary>How much of the disk it makes zeros by a flag, hiding what lies below, or by a hole of a raw file.</summary>
    public long ZeroBytes { get; init; }

    /// <summary>
    /// How much of what it stores is hidden: layers above store the same ranges or make them zeros, or the disk ends before them.
    /// </summary>
    public long HiddenBytes { get; init; }

    /// <summary>
    /// How much of its file holds what is hidden, and could be dropped. Compressed clusters count only if they are hidden
    /// as a whole; a format frees whole clusters only.
    /// </summary>
    public long HiddenHostBytes { get; init; }

    /// <summary>How many pieces its file must be read in, to read all that it stores from front to back; 0 if nothing is stored.</summary>
    public long Fragments { get; init; }

    /// <summary>How much of the disk it stores: <see cref="DataBytes"/> and <see cref="CompressedBytes"/>.</summary>
    public long StoredBytes => DataBytes + CompressedBytes;

    /// <summary>How much of its file holds that: <see cref="DataBytes"/> and <see cref="CompressedHostBytes"/>.</summary>
    public long HostBytes => DataBytes + CompressedHostBytes;

    /// <summary>How many bytes a byte of compressed clusters stands for; null without such clusters.</summary>
    public double? CompressionRatio => CompressedHostBytes > 0 ? (double)CompressedBytes / CompressedHostBytes : null;
}
