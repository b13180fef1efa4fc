namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>
/// Describes a qcow2 image, down to what no tool would write. <see cref="Build"/> writes it; the same description is
/// what its map and content are expected to be.
/// </summary>
internal sealed class Qcow2Builder
{
    public uint Version { get; init; } = 3;

    public int ClusterBits { get; init; } = 16;

    /// <summary>Guest disk size in bytes.</summary>
    public long Size { get; init; }

    public int RefcountOrder { get; init; } = 4;

    public CompressionType CompressionType { get; init; }

    public bool ExtendedL2 { get; init; }

    /// <summary>Data clusters go to <see cref="Qcow2Image.DataFile"/>, by default at their guest offset.</summary>
    public bool ExternalData { get; init; }

    /// <summary>Bits beside those that the properties above set.</summary>
    public ulong IncompatibleFeatures { get; init; }

    public ulong CompatibleFeatures { get; init; }

    public ulong AutoclearFeatures { get; init; }

    /// <summary>Null: 72 for version 2, 112 for version 3.</summary>
    public int? HeaderLength { get; init; }

    public uint CryptMethod { get; init; }

    public string? BackingFile { get; init; }

    public string? BackingFormat { get; init; }

    /// <summary>What <see cref="BackingFile"/> will be, for the expected map and content.</summary>
    public Qcow2Image? Backing { get; init; }

    public IReadOnlyList<HeaderExtension> Extensions { get; init; } = [];

    /// <summary>Number of L1 entries, or null for as many as the size needs.</summary>
    public int? L1Size { get; init; }

    /// <summary>L1 entries as they are, in place of those that the clusters ask for.</summary>
    public IReadOnlyDictionary<int, ulong> L1Entries { get; init; } = new Dictionary<int, ulong>();

    public IReadOnlyList<GuestClusters> Clusters { get; init; } = [];

    public int ClusterSize => 1 << ClusterBits;

    public int L2EntrySize => ExtendedL2 ? 16 : 8;

    public int L2Entries => ClusterSize / L2EntrySize;

    public int NeededL1Size => checked((int)((Size + ((long)ClusterSize * L2Entries) - 1) / ((long)ClusterSize * L2Entries)));

    public Qcow2Image Build() => new Qcow2Writer(this).Write();
}
