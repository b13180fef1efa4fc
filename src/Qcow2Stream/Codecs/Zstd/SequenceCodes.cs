namespace Qcow2Stream.Codecs.Zstd;

/// <summary>The codes of sequences (RFC 8878, sections 3.1.1.3.2.1 and 3.1.1.3.2.2).</summary>
/// <remarks>
/// An entry of a decoding table is packed into 64 bits, such that the bit counts of several entries can be added at once:
/// <code>
/// bits 0–15   as many ones as bits follow for the next state
/// bits 16–23  how many extra bits the value has, and bits follow for the next state
/// bits 24–31  how many extra bits the value has
/// bits 32–48  the value, but for its extra bits; of an offset, 63 less its extra bits
/// bits 49–54  how many bits follow for the next state
/// bits 55–63  the next state, but for these bits
/// </code>
/// Shifts by a bit count look at its low six bits only.
/// </remarks>
internal static class SequenceCodes
{
    public const int AllBitsShift = 16;
    public const int ExtraBitsShift = 24;
    public const int ValueShift = 32;
    public const int StateBitsShift = 49;
    public const int NextStateShift = 55;

    public const uint ValueMask = (1 << (StateBitsShift - ValueShift)) - 1;

    /// <summary>What makes one bit more of the value, and of the next state.</summary>
    public const uint ExtraBit = (1 << AllBitsShift) | (1 << ExtraBitsShift);
    public const ulong StateBit = (1UL << AllBitsShift) | (1UL << StateBitsShift);

    /// <summary>The most extra bits of a length.</summary>
    public const int MaxLengthBits = 16;

    public const int MaxLiteralLengthLog = 9;
    public const int MaxOffsetLog = 8;
    public const int MaxMatchLengthLog = 9;

    public const int DefaultLiteralLengthLog = 6;
    public const int DefaultOffsetLog = 5;
    public const int DefaultMatchLengthLog = 6;

    // The entries of each code, which lack only what belongs to a state. Read through pointers, and so in the heap that
    // does not move.
    public static readonly ulong[] LiteralLengths = MakeLengths(0, 16, LiteralLengthExtraBits);
    public static readonly ulong[] Offsets = MakeOffsets();
    public static readonly ulong[] MatchLengths = MakeLengths(3, 32, MatchLengthExtraBits);

    /// <summary>The tables of the predefined distributions: of literals lengths, match lengths and offsets.</summary>
    public static readonly ulong[] Predefined = MakePredefined();

    public const int PredefinedMatchLengths = 1 << DefaultLiteralLengthLog;
    public const int PredefinedOffsets = PredefinedMatchLengths + (1 << DefaultMatchLengthLog);

    private static ReadOnlySpan<byte> LiteralLengthExtraBits =>
        [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private static ReadOnlySpan<byte> MatchLengthExtraBits =>
        [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    private static ReadOnlySpan<short> DefaultLiteralLengths =>
    [
        4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
    ];

    private static ReadOnlySpan<short> DefaultMatchLengths =>
    [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ];

    private static ReadOnlySpan<short> DefaultOffsets =>
    [
        1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
    ];

    /// <summary>The first codes stand for one length each, in order.</summary>
    private static ulong[] MakeLengths(uint smallest, int singles, ReadOnlySpan<byte> extraBits)
    {
        ulong[] entries = GC.AllocateArray<ulong>(singles + extraBits.Length, pinned: true);
        uint length = smallest;
        for (int code = 0; code < entries.Length; code++)
        {
            int extra = code < singles ? 0 : extraBits[code - singles];
            entries[code] = ((ulong)length << ValueShift) | ((uint)extra * ExtraBit);
            length += 1u << extra;
        }

        return entries;
    }

    private static ulong[] MakeOffsets()
    {
        ulong[] entries = GC.AllocateArray<ulong>(32, pinned: true);
        for (int code = 0; code < entries.Length; code++)
        {
            entries[code] = ((63UL - (uint)code) << ValueShift) | ((uint)code * ExtraBit);
        }

        return entries;
    }

    private static unsafe ulong[] MakePredefined()
    {
        ulong[] tables = GC.AllocateArray<ulong>(PredefinedOffsets + (1 << DefaultOffsetLog), pinned: true);
        fixed (ulong* table = tables)
        fixed (short* lengths = DefaultLiteralLengths)
        fixed (short* matches = DefaultMatchLengths)
        fixed (short* offsets = DefaultOffsets)
        {
            FseTable.Build(lengths, DefaultLiteralLengths.Length, DefaultLiteralLengthLog, LiteralLengths, table);
            FseTable.Build(matches, DefaultMatchLengths.Length, DefaultMatchLengthLog, MatchLengths, table + PredefinedMatchLengths);
            FseTable.Build(offsets, DefaultOffsets.Length, DefaultOffsetLog, Offsets, table + PredefinedOffsets);
        }

        return tables;
    }
}
