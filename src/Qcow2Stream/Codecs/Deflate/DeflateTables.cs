namespace Qcow2Stream.Codecs.Deflate;

/// <summary>Room for the tables of one block, 12 KiB: on the decoding thread's stack, so that nothing is shared or allocated.</summary>
internal unsafe struct DeflateTables
{
    public const int MaxLiteralLengths = 286;
    public const int MaxDistances = 30;

    public fixed uint LiteralLengths[CodeTable.LiteralLengthCapacity];
    public fixed uint Distances[CodeTable.DistanceCapacity];
    public fixed uint CodeLengths[CodeTable.CodeLengthCapacity];

    /// <summary>The code lengths that the block lists.</summary>
    public fixed byte Lengths[MaxLiteralLengths + MaxDistances];
}
