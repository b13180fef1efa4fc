namespace Qcow2Stream.Tests.Differential;

/// <summary>One layer of a chain: how qemu-img creates it, and what qemu-io then does to it.</summary>
internal sealed record LayerPlan
{
    public required string Name { get; init; }

    public required bool IsRaw { get; init; }

    /// <summary>Guest disk size in bytes: for qcow2 a multiple of 512, for raw any.</summary>
    public required long Length { get; init; }

    /// <summary>Bytes of a cluster; 1 for raw.</summary>
    public required int ClusterSize { get; init; }

    /// <summary>The creation options of a qcow2 layer.</summary>
    public string Options { get; init; } = "";

    /// <summary>The name under which the layer records the one below; null at the bottom.</summary>
    public string? BackingName { get; init; }

    public bool RecordsBackingFormat { get; init; } = true;

    /// <summary>Bytes, fewer than a sector, by which the header's size is made larger in the end.</summary>
    public int SizeExcess { get; init; }

    /// <summary>The file that takes the clusters; null if the image does.</summary>
    public string? DataFileName { get; init; }

    /// <summary>"aes" or "luks"; null if it is not encrypted. Only the top layer is.</summary>
    public string? Encryption { get; init; }

    /// <summary>How many of the commands run before a snapshot is taken; null for no snapshot.</summary>
    public int? SnapshotAfter { get; init; }

    public required IReadOnlyList<string> Commands { get; init; }

    public string Format => IsRaw ? "raw" : "qcow2";
}
