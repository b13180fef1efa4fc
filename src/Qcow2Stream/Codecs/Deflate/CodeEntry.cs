namespace Qcow2Stream.Codecs.Deflate;

/// <summary>
/// How an entry of a decoding table is packed into 32 bits. The next bits of the stream find an entry, which says what
/// they mean and how many of them that takes.
/// </summary>
/// <remarks>
/// <code>
///            bits 0–5            6            7  8–13              14, 15      16–24               25–28
/// literal    code                -            1  -                 -           the literal         code
/// length     code + extra bits   -            0  63 - extra bits   -           smallest length     0
/// distance   code + extra bits   0            0  63 - extra bits   -           smallest distance, in bits 16–30
/// next table code so far         Exceptional  0  bits of its index -           its start           0
/// other      code                Exceptional  0  -                 which       -                   0
/// </code>
/// Shifts by an entry, and a bit count from which entries are subtracted, look at the low six bits only: a shift of
/// 64 bits takes its count modulo 64, and a bit count is never more than 63.
/// </remarks>
internal static class CodeEntry
{
    public const uint BitsMask = 63;
    public const uint Exceptional = 1 << 6;
    public const uint Literal = 1 << LiteralShift;
    public const uint Invalid = 1 << 14;
    public const uint EndOfBlock = 1 << 15;

    public const int LiteralShift = 7;
    public const int ExtraBitsShift = 8;
    public const int IndexBitsShift = 8;
    public const int ValueShift = 16;
    public const int LiteralCodeShift = 25;

    /// <summary>One bit that no code begins with.</summary>
    public const uint InvalidBit = Exceptional | Invalid | 1;

    /// <summary>The entry of a symbol whose code takes <paramref name="codeBits"/> bits of the index.</summary>
    public static uint WithCode(uint symbol, int codeBits) =>
        symbol + ((uint)codeBits * (1 | ((symbol & Literal) << (LiteralCodeShift - LiteralShift))));

    /// <summary>Leads to a table of 1 &lt;&lt; indexBits entries, <paramref name="start"/> entries after the root's.</summary>
    public static uint NextTable(int start, int indexBits, int rootBits) =>
        Exceptional | ((uint)start << ValueShift) | ((uint)indexBits << IndexBitsShift) | (uint)rootBits;

    /// <summary>The entry of a length or distance, but for its code.</summary>
    public static uint Range(uint smallest, int extraBits) =>
        (smallest << ValueShift) | ((uint)(63 - extraBits) << ExtraBitsShift) | (uint)extraBits;
}
