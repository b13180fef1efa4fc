using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>What the entries of a space-efficient extent (seSparse) count from. Their first digit says what they are.</summary>
/// <param name="Tables">Where the grain tables start, in bytes; inside the file.</param>
/// <param name="Grains">Where the grains start, in bytes; inside the file.</param>
internal readonly record struct SpaceEfficientPlaces(long Tables, long Grains)
{
    private const int KindShift = 60;
    private const ulong TableKind = 0x1000_0000;
    private const ulong Unmapped = 1;
    private const ulong Zeros = 2;
    private const ulong Stored = 3;
    private const int LowShift = 48;
    private const int HighShift = 12;
    private const ulong LowMask = 0xFFF;
    private const ulong HighMask = 0xFFFF_FFFF_FFFF;
    private const ulong TableLength = VmdkLayout.SpaceEfficientTableSectors * Sector.Size;
    private const ulong GrainLength = VmdkLayout.SpaceEfficientGrainSectors * Sector.Size;

    // More grains than a file can have.
    private const ulong MostGrains = (ulong)ExtentLine.MaxSectors / VmdkLayout.SpaceEfficientGrainSectors;

    /// <inheritdoc cref="SparseHeader.Table"/>
    public ulong Table(ulong entry) =>
        entry == SparseHeader.Unallocated ? SparseHeader.Unallocated
        : entry >> 32 == TableKind ? (ulong)Tables + ((uint)entry * TableLength)
        : SparseHeader.Unknown;

    /// <inheritdoc cref="SparseHeader.Grain"/>
    public ulong Grain(ulong entry) => (entry >> KindShift) switch
    {
        0 when entry == 0 => SparseHeader.Unallocated,
        Unmapped or Zeros => SparseHeader.Zeroed,

        // The number of the grain is in two parts, the lower twelve bits in front.
        Stored when (((entry >> LowShift) & LowMask) | ((entry & HighMask) << HighShift)) is var number && number < MostGrains / 2 =>
            (ulong)Grains + (number * GrainLength),
        _ => SparseHeader.Unknown,
    };
}
