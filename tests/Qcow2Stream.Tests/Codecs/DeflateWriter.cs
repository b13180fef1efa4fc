namespace Qcow2Stream.Tests.Codecs;

/// <summary>Writes deflate streams by hand: bits, and what RFC 1951 makes of them.</summary>
internal sealed class DeflateWriter
{
    private readonly List<byte> _bytes = [];
    private int _bitCount;

    public byte[] ToArray() => [.. _bytes];

    /// <summary>A number, its lowest bit first.</summary>
    public DeflateWriter Bits(int value, int count)
    {
        for (int i = 0; i < count; i++, _bitCount++)
        {
            if (_bitCount % 8 == 0)
            {
                _bytes.Add(0);
            }

            _bytes[^1] |= (byte)(((value >> i) & 1) << (_bitCount % 8));
        }

        return this;
    }

    /// <summary>A code, its highest bit first.</summary>
    public DeflateWriter Code(int code, int length)
    {
        for (int i = length - 1; i >= 0; i--)
        {
            Bits(code >> i, 1);
        }

        return this;
    }

    /// <summary>The head of a block: 0 is stored, 1 fixed, 2 dynamic.</summary>
    public DeflateWriter Block(int type, bool isLast = true) => Bits(isLast ? 1 : 0, 1).Bits(type, 2);

    /// <summary>A whole stored block, or one whose head claims another length.</summary>
    public DeflateWriter Stored(ReadOnlySpan<byte> content, bool isLast = true, int? complement = null)
    {
        Block(0, isLast);
        _bitCount = _bytes.Count * 8;
        Bits(content.Length, 16).Bits(complement ?? ~content.Length, 16);
        foreach (byte value in content)
        {
            Bits(value, 8);
        }

        return this;
    }

    public DeflateWriter Rubbish(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        _bitCount = _bytes.Count * 8;
        return this;
    }

    /// <summary>A literal, the end of the block, or the symbol of a length, in the fixed code.</summary>
    public DeflateWriter Fixed(int symbol) => symbol switch
    {
        < 144 => Code(0x30 + symbol, 8),
        < 256 => Code(0x190 + symbol - 144, 9),
        < 280 => Code(symbol - 256, 7),
        _ => Code(0xC0 + symbol - 280, 8),
    };

    public DeflateWriter FixedEnd() => Fixed(256);

    public DeflateWriter FixedMatch(int length, int distance)
    {
        (int symbol, int extra, int extraBits) = LengthSymbol(length);
        Fixed(symbol).Bits(extra, extraBits);
        (symbol, extra, extraBits) = DistanceSymbol(distance);
        return Code(symbol, 5).Bits(extra, extraBits);
    }

    /// <summary>The head of a dynamic block whose code length code has four bits for each length.</summary>
    public DeflateWriter Dynamic(int[] literalLengths, int[] distances, bool isLast = true)
    {
        int[] order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        DynamicCounts(literalLengths.Length, distances.Length, order.Length, isLast);
        foreach (int symbol in order)
        {
            Bits(symbol < 16 ? 4 : 0, 3);
        }

        foreach (int length in (int[])[.. literalLengths, .. distances])
        {
            Code(length, 4);
        }

        return this;
    }

    /// <summary>The three counts that a dynamic block starts with.</summary>
    public DeflateWriter DynamicCounts(int literalLengths, int distances, int codeLengths, bool isLast = true) =>
        Block(2, isLast).Bits(literalLengths - 257, 5).Bits(distances - 1, 5).Bits(codeLengths - 4, 4);

    /// <summary>RFC 1951, 3.2.5: four symbols for each number of extra bits.</summary>
    private static (int Symbol, int Extra, int ExtraBits) LengthSymbol(int length)
    {
        if (length == 258)
        {
            return (285, 0, 0);
        }

        int bits = Math.Max(0, int.Log2(length - 3) - 2);
        return (257 + (4 * bits) + ((length - 3) >> bits), (length - 3) & ((1 << bits) - 1), bits);
    }

    /// <summary>Two symbols for each number of extra bits.</summary>
    private static (int Symbol, int Extra, int ExtraBits) DistanceSymbol(int distance)
    {
        int bits = Math.Max(0, int.Log2(distance - 1) - 1);
        return ((2 * bits) + ((distance - 1) >> bits), (distance - 1) & ((1 << bits) - 1), bits);
    }
}
