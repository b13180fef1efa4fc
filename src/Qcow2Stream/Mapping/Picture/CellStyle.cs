using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping.Picture;

/// <summary>How a cell is drawn.</summary>
/// <param name="Kind">Data, Compressed, Zero or Unallocated.</param>
/// <param name="Depth">The layer, if it is one of the first two; otherwise 0.</param>
/// <param name="Quarters">How much of the cell that is, rounded up: 1 to 4.</param>
internal readonly record struct CellStyle(RunKind Kind, int Depth, int Quarters)
{
    public bool IsStored => Kind is RunKind.Data or RunKind.Compressed;
}
