using Qcow2Stream.Translation;

namespace Qcow2Stream;

/// <summary>A range of the guest's disk that lives in one place.</summary>
public readonly record struct MapExtent
{
    /// <summary>Where the extent starts in the guest's disk, in bytes.</summary>
    public long Start { get; init; }

    /// <summary>How long it is, in bytes of the guest's disk; at least 1.</summary>
    public long Length { get; init; }

    /// <summary>What it is.</summary>
    public MapKind Kind { get; init; }

    /// <summary>
    /// The layer that decides it: 0 is the top image. For <see cref="MapKind.Unallocated"/> the deepest layer that
    /// reaches so far.
    /// </summary>
    public int Depth { get; init; }

    /// <summary>
    /// Where in the file <see cref="HostPath"/> its first byte is; for a compressed cluster, where the compressed
    /// bytes start; for zeros, where the cluster kept in reserve is. In bytes; null if there is none, and for data of a
    /// layer of another format (<see cref="ImageFormat.Other"/>) whose reader doesn't report the position.
    /// </summary>
    public long? HostOffset { get; init; }

    /// <summary>How many bytes of the file hold it: for a compressed cluster all of that cluster's; 0 if none do.</summary>
    public long HostLength { get; init; }

    /// <summary>The file that holds the bytes, as its layer's path; null if none does, or for a stream without a name.</summary>
    public string? HostPath { get; init; }

    /// <summary>Whether what the file holds is encrypted: <see cref="HostOffset"/> then leads to ciphertext.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The first byte of the guest's disk after the extent.</summary>
    public long End => Start + Length;

    /// <summary>Whether a layer decides what is here: false only where no layer holds anything.</summary>
    public bool IsPresent => Kind != MapKind.Unallocated;

    /// <summary>Whether the extent is known to read as zeros.</summary>
    public bool IsZero => Kind is MapKind.Zero or MapKind.Unallocated or MapKind.Hole;

    /// <summary>Where in the decompressed cluster the extent starts, in bytes; 0 unless compressed.</summary>
    internal int OffsetInCluster { get; init; }

    /// <summary>The extent without what only its chain knows.</summary>
    internal HostRun ToRun() => new()
    {
        Kind = (RunKind)Kind,
        Depth = Depth,
        GuestOffset = Start,
        Length = Length,
        HostOffset = HostOffset ?? HostRun.Nowhere,
        HostLength = HostLength,
        OffsetInCluster = OffsetInCluster,
    };
}
