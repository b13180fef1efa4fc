using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Deflate;

/// <content>The last symbols of the input and of the output.</content>
internal unsafe ref partial struct DeflateDecoder
{
    /// <summary>Decodes symbols, looking before every read and write, until there is a reason to stop.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private DeflateOutcome DecodeCarefully(uint* literalLengths, uint* distances)
    {
        while (true)
        {
            // Enough for a symbol with everything that belongs to it: at most 15 + 5 + 15 + 13 bits.
            Refill();
            uint entry = literalLengths[_bits & LiteralLengthMask];
            if (IsNextTable(entry) && !TryEnter(ref entry, literalLengths + (1 << CodeTable.LiteralLengthBits)))
            {
                return DeflateOutcome.Stopped;
            }

            int bits = (int)(entry & CodeEntry.BitsMask);
            if (bits > _bitCount)
            {
                return DeflateOutcome.Stopped;
            }

            uint length = Value(entry, _bits);
            Take(bits);
            if ((entry & CodeEntry.Literal) != 0)
            {
                if (_output == _outputEnd)
                {
                    return DeflateOutcome.Stopped;
                }

                *_output++ = (byte)(entry >> CodeEntry.ValueShift);
                continue;
            }

            if ((entry & CodeEntry.Exceptional) != 0)
            {
                return (entry & CodeEntry.EndOfBlock) != 0 ? DeflateOutcome.EndOfBlock : DeflateOutcome.Broken;
            }

            entry = distances[_bits & DistanceMask];
            if (IsNextTable(entry) && !TryEnter(ref entry, distances + (1 << CodeTable.DistanceBits)))
            {
                return DeflateOutcome.Stopped;
            }

            bits = (int)(entry & CodeEntry.BitsMask);
            if (bits > _bitCount)
            {
                return DeflateOutcome.Stopped;
            }

            uint distance = Value(entry, _bits);
            Take(bits);
            if ((entry & CodeEntry.Exceptional) != 0)
            {
                return DeflateOutcome.Broken;
            }

            if (_output == _outputEnd)
            {
                return DeflateOutcome.Stopped;
            }

            if (distance > _output - _outputStart)
            {
                return DeflateOutcome.Broken;
            }

            if (!TryCopy(distance, length))
            {
                return DeflateOutcome.Stopped;
            }
        }
    }

    /// <summary>Copies as much of a match as there is room for.</summary>
    /// <returns>False if that was not all of it.</returns>
    private bool TryCopy(uint distance, uint length)
    {
        byte* source = _output - distance;
        byte* target = _output;
        long room = _outputEnd - target;
        _output += Math.Min(length, room);
        if (distance == 1)
        {
            // A cluster often ends in zeros.
            new Span<byte>(target, (int)(_output - target)).Fill(*source);
        }
        else if (distance >= sizeof(ulong) && room >= length + sizeof(ulong))
        {
            // The last word ends less than a word past the match.
            do
            {
                Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<ulong>(source));
                source += sizeof(ulong);
                target += sizeof(ulong);
            }
            while (target < _output);
        }
        else
        {
            do
            {
                *target++ = *source++;
            }
            while (target < _output);
        }

        return length <= room;
    }

    private static bool IsNextTable(uint entry) =>
        (entry & (CodeEntry.Exceptional | CodeEntry.Invalid | CodeEntry.EndOfBlock)) == CodeEntry.Exceptional;

    /// <summary>Takes the bits that led to an entry of a root table, and continues with the next table.</summary>
    private bool TryEnter(ref uint entry, uint* nextTables)
    {
        int bits = (int)(entry & CodeEntry.BitsMask);
        if (bits > _bitCount)
        {
            return false;
        }

        Take(bits);
        entry = nextTables[NextIndex(entry, _bits)];
        return true;
    }
}
