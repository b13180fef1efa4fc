namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Room for the tables, the literals and the sequences of one block, 170 KiB: too much for the stack.</summary>
internal unsafe struct ZstdTables
{
    /// <summary>The largest size of a block (RFC 8878, section 3.1.1.2.4), in bytes.</summary>
    public const int MaxBlock = 128 << 10;

    /// <summary>How far past the literals copies may read, in bytes.</summary>
    public const int LiteralsSlack = 64;

    public const int SequenceFields = 3;

    /// <summary>So many sequences are decoded before they are executed: few enough to stay in the nearest cache.</summary>
    public const int MaxSequences = 512;

    /// <summary>Where the tables of the codes of sequences start, in bytes: as fields, they would be checked for null.</summary>
    public const int LiteralLengthsStart = (SequenceCodes.MaxLengthBits + 1) * sizeof(ulong);
    public const int OffsetsStart = LiteralLengthsStart + (sizeof(ulong) << SequenceCodes.MaxLiteralLengthLog);
    public const int MatchLengthsStart = OffsetsStart + (sizeof(ulong) << SequenceCodes.MaxOffsetLog);

    /// <summary>As many ones as the index says.</summary>
    public fixed ulong LowBits[SequenceCodes.MaxLengthBits + 1];

    public fixed ulong LiteralLengths[1 << SequenceCodes.MaxLiteralLengthLog];
    public fixed ulong Offsets[1 << SequenceCodes.MaxOffsetLog];
    public fixed ulong MatchLengths[1 << SequenceCodes.MaxMatchLengthLog];

    /// <summary>Of each sequence: the literals length, the match length and the offset value.</summary>
    public fixed ulong Sequences[SequenceFields * MaxSequences];

    public fixed ulong WeightStates[1 << HuffmanTable.MaxWeightsLog];
    public fixed ushort Huffman[HuffmanTable.Capacity];
    public fixed short Distribution[256];
    public fixed byte Weights[256];

    public fixed byte Literals[MaxBlock + LiteralsSlack];
}
