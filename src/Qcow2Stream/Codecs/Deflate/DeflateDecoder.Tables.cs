using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Deflate;

/// <content>The tables of dynamic blocks.</content>
internal unsafe ref partial struct DeflateDecoder
{
    /// <summary>Reads the head of a dynamic block.</summary>
    /// <returns>EndOfBlock, of the head, if the tables are there.</returns>
    private DeflateOutcome ReadTables(DeflateTables* tables)
    {
        Refill();
        if (_bitCount < 14)
        {
            return DeflateOutcome.Stopped;
        }

        int literalLengths = 257 + (int)(_bits & 31);
        int distances = 1 + (int)((_bits >> 5) & 31);
        int codeLengths = 4 + (int)((_bits >> 10) & 15);
        Take(14);
        if (literalLengths > DeflateTables.MaxLiteralLengths || distances > DeflateTables.MaxDistances)
        {
            return DeflateOutcome.Broken;
        }

        byte* lengths = tables->Lengths;
        new Span<byte>(lengths, Symbols.CodeLengthCount).Clear();
        for (int i = 0; i < codeLengths; i++)
        {
            if (_bitCount < 3)
            {
                Refill();
                if (_bitCount < 3)
                {
                    return DeflateOutcome.Stopped;
                }
            }

            lengths[Symbols.CodeLengthOrder[i]] = (byte)(_bits & 7);
            Take(3);
        }

        if (!CodeTable.TryBuildCodeLengths(lengths, tables->CodeLengths))
        {
            return DeflateOutcome.Broken;
        }

        DeflateOutcome outcome = ReadLengths(tables->CodeLengths, lengths, literalLengths + distances);
        if (outcome != DeflateOutcome.EndOfBlock)
        {
            return outcome;
        }

        if (lengths[Symbols.EndOfBlock] == 0
            || !CodeTable.TryBuildLiteralLengths(lengths, literalLengths, tables->LiteralLengths)
            || !CodeTable.TryBuildDistances(lengths + literalLengths, distances, tables->Distances))
        {
            return DeflateOutcome.Broken;
        }

        return DeflateOutcome.EndOfBlock;
    }

    /// <summary>Reads <paramref name="count"/> code lengths.</summary>
    /// <inheritdoc cref="ReadTables" path="/returns"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private DeflateOutcome ReadLengths(uint* table, byte* lengths, int count)
    {
        // Of a code, and of the bits that say how often its length is repeated.
        const int MaxBits = CodeTable.CodeLengthBits + 7;

        int i = 0;
        while (i < count)
        {
            if (_bitCount < MaxBits)
            {
                Refill();
            }

            uint entry = table[_bits & ((1 << CodeTable.CodeLengthBits) - 1)];
            int bits = (int)(entry & CodeEntry.BitsMask);
            uint symbol = entry >> CodeEntry.ValueShift;
            if (symbol < 16)
            {
                if (_bitCount < bits)
                {
                    return DeflateOutcome.Stopped;
                }

                Take(bits);
                lengths[i++] = (byte)symbol;
                continue;
            }

            int extraBits = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
            if (_bitCount < bits + extraBits)
            {
                return DeflateOutcome.Stopped;
            }

            int repeat = (symbol == 18 ? 11 : 3) + ((int)(_bits >> bits) & ((1 << extraBits) - 1));
            Take(bits + extraBits);
            if (repeat > count - i || (symbol == 16 && i == 0))
            {
                return DeflateOutcome.Broken;
            }

            byte length = symbol == 16 ? lengths[i - 1] : (byte)0;
            Unsafe.InitBlockUnaligned(lengths + i, length, (uint)repeat);
            i += repeat;
        }

        return DeflateOutcome.EndOfBlock;
    }
}
