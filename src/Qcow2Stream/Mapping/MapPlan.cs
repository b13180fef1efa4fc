using Qcow2Stream.Images;
using Qcow2Stream.Layers;

namespace Qcow2Stream.Mapping;

/// <summary>How a map is cut into pieces that are made at once.</summary>
/// <param name="PieceLength">The length of the first pieces, in bytes; later ones may be longer.</param>
/// <param name="MostAhead">How many pieces are begun at once, at most.</param>
internal readonly record struct MapPlan(long PieceLength, int MostAhead)
{
    /// <summary>The shortest piece, in bytes: what one piece of the largest L2 table describes in clusters of 512 bytes.</summary>
    public const long ShortestPiece = TablePieces.MaxWords * 512L;

    // Two pieces a core keep all busy.
    private const int PiecesPerCore = 2;

    /// <summary>What suits a chain and this machine: no two of the first pieces need the same piece of a table.</summary>
    public static MapPlan For(OpenChain chain) => new(
        Math.Max(chain.LargestCluster * (long)TablePieces.MaxWords, ShortestPiece),
        Environment.ProcessorCount == 1 ? 1 : PiecesPerCore * Environment.ProcessorCount);
}
