namespace Qcow2Stream.Codecs.Deflate;

/// <summary>The symbols of the three alphabets, as table entries that lack only the length of their code.</summary>
internal static class Symbols
{
    public const int EndOfBlock = 256;

    /// <summary>Of the fixed code; the last two mean nothing.</summary>
    public const int LiteralLengthCount = 288;

    /// <summary>Of the fixed code; the last two mean nothing.</summary>
    public const int DistanceCount = 32;

    public const int CodeLengthCount = 19;

    private const int FirstLength = 257;
    private const int LastLength = 285;
    private const int LastDistance = 29;

    // Read through pointers, and so in the heap that does not move.
    public static readonly uint[] LiteralLengths = MakeLiteralLengths();
    public static readonly uint[] Distances = MakeDistances();
    public static readonly uint[] CodeLengths = MakeCodeLengths();

    /// <summary>The order in which a block lists the lengths of the code length code.</summary>
    public static ReadOnlySpan<byte> CodeLengthOrder =>
        [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    private static ReadOnlySpan<byte> LengthExtraBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

    private static uint[] MakeLiteralLengths()
    {
        uint[] entries = GC.AllocateArray<uint>(LiteralLengthCount, pinned: true);
        for (uint literal = 0; literal < EndOfBlock; literal++)
        {
            entries[literal] = CodeEntry.Literal | (literal << CodeEntry.ValueShift);
        }

        entries[EndOfBlock] = CodeEntry.Exceptional | CodeEntry.EndOfBlock;
        uint length = 3;
        for (int symbol = FirstLength; symbol < LastLength; symbol++)
        {
            byte extraBits = LengthExtraBits[symbol - FirstLength];
            entries[symbol] = CodeEntry.Range(length, extraBits);
            length += 1u << extraBits;
        }

        entries[LastLength] = CodeEntry.Range(258, extraBits: 0);
        entries.AsSpan(LastLength + 1).Fill(CodeEntry.Exceptional | CodeEntry.Invalid);
        return entries;
    }

    private static uint[] MakeDistances()
    {
        uint[] entries = GC.AllocateArray<uint>(DistanceCount, pinned: true);
        uint distance = 1;
        for (int symbol = 0; symbol <= LastDistance; symbol++)
        {
            int extraBits = Math.Max(0, (symbol / 2) - 1);
            entries[symbol] = CodeEntry.Range(distance, extraBits);
            distance += 1u << extraBits;
        }

        entries.AsSpan(LastDistance + 1).Fill(CodeEntry.Exceptional | CodeEntry.Invalid);
        return entries;
    }

    private static uint[] MakeCodeLengths()
    {
        uint[] entries = GC.AllocateArray<uint>(CodeLengthCount, pinned: true);
        for (uint symbol = 0; symbol < CodeLengthCount; symbol++)
        {
            entries[symbol] = symbol << CodeEntry.ValueShift;
        }

        return entries;
    }
}
