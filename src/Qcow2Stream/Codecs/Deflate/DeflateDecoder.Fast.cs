using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Qcow2Stream.Codecs.Deflate;

/// <content>The symbols that are far enough from the end of the input and of the output.</content>
internal unsafe ref partial struct DeflateDecoder
{
    private const uint LiteralLengthMask = (1 << CodeTable.LiteralLengthBits) - 1;
    private const uint DistanceMask = (1 << CodeTable.DistanceBits) - 1;

    // Of a distance: its code of up to 15 bits, and up to 13 extra bits.
    private const int MaxDistanceBits = 28;

    // See DecodeFast.
    private const int InputSlack = 24;
    private const int OutputSlack = 296;

    /// <summary>Decodes symbols without looking at the ends of the buffers for each byte.</summary>
    /// <remarks>
    /// <para>
    /// Why no access is out of bounds, whatever the data is. Everything is read from the input by <c>Refill</c>, which
    /// reads 8 bytes and steps over at most 7. A round starts with at most 7 bytes less than InputSlack, and refills
    /// at most twice: 7 + 7 + 8 bytes are 22. The loop over literals of one code length refills once for each check.
    /// </para>
    /// <para>
    /// A round starts with room for OutputSlack bytes, and writes three literals at most before a match, which is no
    /// longer than 258 bytes and is copied in steps that end less than 32 bytes past its end: 3 + 258 + 31 bytes
    /// are 292. Without a match, four literals are written, and four more for each check of the inner loop. What is
    /// copied lies between the start of the output, as the distance is compared with it, and the bytes written.
    /// </para>
    /// <para>
    /// Tables are read at an index of as many bits as they have entries; entries that lead to a next table say how
    /// many it has. A round starts with 56 bits, of which at most 3 * 11 go to literals, 15 + 5 to a length or 11 to a
    /// fourth literal; a distance follows on at least 28, for what it can take.
    /// </para>
    /// </remarks>
    // Optimised at once: the first clusters would otherwise be decoded at a tenth of the speed.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private DeflateOutcome DecodeFast(uint* literalLengths, uint* distances)
    {
        if (_inputEnd - _input < InputSlack || _outputEnd - _output < OutputSlack)
        {
            return DeflateOutcome.LittleLeft;
        }

        byte* input = _input;
        byte* output = _output;
        byte* outputStart = _outputStart;
        byte* lastInput = _inputEnd - InputSlack;
        byte* lastOutput = _outputEnd - OutputSlack;
        ulong bits = _bits;
        uint bitCount = (uint)_bitCount;
        DeflateOutcome outcome = DeflateOutcome.LittleLeft;

        Refill(ref bits, ref bitCount, ref input);
        uint entry = literalLengths[(uint)bits & LiteralLengthMask];
        do
        {
            // After a match comes one literal or none, mostly, and which is hard to foresee. So no branch: what is not
            // a literal takes no bits here, writes what will be overwritten, and is found again.
            *output = (byte)(entry >> CodeEntry.ValueShift);
            output += (entry / CodeEntry.Literal) & 1;
            bits >>= (int)(entry >> CodeEntry.LiteralCodeShift);
            bitCount -= entry >> CodeEntry.LiteralCodeShift;
            entry = literalLengths[(uint)bits & LiteralLengthMask];
            ulong taken = Take(entry, ref bits, ref bitCount);
            if ((entry & CodeEntry.Literal) != 0)
            {
                *output = (byte)(entry >> CodeEntry.ValueShift);
                output += 1;
                entry = literalLengths[(uint)bits & LiteralLengthMask];
                taken = Take(entry, ref bits, ref bitCount);
                if ((entry & CodeEntry.Literal) != 0)
                {
                    *output = (byte)(entry >> CodeEntry.ValueShift);
                    output += 1;
                    entry = literalLengths[(uint)bits & LiteralLengthMask];
                    taken = Take(entry, ref bits, ref bitCount);
                    if ((entry & CodeEntry.Literal) != 0)
                    {
                        *output = (byte)(entry >> CodeEntry.ValueShift);
                        output += 1;

                        // Data that hardly compresses has long runs of literals whose codes are as long as each other.
                        // If so, four are found without waiting for one another.
                        uint last = entry;
                        while (true)
                        {
                            Refill(ref bits, ref bitCount, ref input);
                            entry = literalLengths[(uint)bits & LiteralLengthMask];
                            ulong ahead = bits >> (int)last;
                            uint second = literalLengths[(uint)ahead & LiteralLengthMask];
                            ahead >>= (int)last;
                            uint third = literalLengths[(uint)ahead & LiteralLengthMask];
                            ahead >>= (int)last;
                            uint fourth = literalLengths[(uint)ahead & LiteralLengthMask];
                            uint differences = (entry ^ last) | (second ^ last) | (third ^ last) | (fourth ^ last);
                            if ((differences & (CodeEntry.BitsMask | CodeEntry.Exceptional | CodeEntry.Literal)) != 0
                                || input > lastInput
                                || output > lastOutput)
                            {
                                break;
                            }

                            output[0] = (byte)(entry >> CodeEntry.ValueShift);
                            output[1] = (byte)(second >> CodeEntry.ValueShift);
                            output[2] = (byte)(third >> CodeEntry.ValueShift);
                            output[3] = (byte)(fourth >> CodeEntry.ValueShift);
                            output += 4;
                            bits = ahead >> (int)last;
                            bitCount -= 4 * last;
                        }

                        continue;
                    }
                }
            }

            if ((entry & CodeEntry.Exceptional) != 0)
            {
                if (IsNextTable(entry))
                {
                    entry = literalLengths[NextIndex(entry, bits) + (1 << CodeTable.LiteralLengthBits)];
                    taken = Take(entry, ref bits, ref bitCount);
                    if ((entry & CodeEntry.Literal) != 0)
                    {
                        *output = (byte)(entry >> CodeEntry.ValueShift);
                        output += 1;
                        Refill(ref bits, ref bitCount, ref input);
                        entry = literalLengths[(uint)bits & LiteralLengthMask];
                        continue;
                    }
                }

                if ((entry & CodeEntry.Exceptional) != 0)
                {
                    outcome = (entry & CodeEntry.EndOfBlock) != 0 ? DeflateOutcome.EndOfBlock : DeflateOutcome.Broken;
                    break;
                }
            }

            nuint length = Value(entry, taken);
            if ((bitCount & CodeEntry.BitsMask) < MaxDistanceBits)
            {
                Refill(ref bits, ref bitCount, ref input);
            }

            entry = distances[(uint)bits & DistanceMask];
            taken = Take(entry, ref bits, ref bitCount);
            if ((entry & CodeEntry.Exceptional) != 0)
            {
                if (IsNextTable(entry))
                {
                    entry = distances[NextIndex(entry, bits) + (1 << CodeTable.DistanceBits)];
                    taken = Take(entry, ref bits, ref bitCount);
                }

                if ((entry & CodeEntry.Exceptional) != 0)
                {
                    outcome = DeflateOutcome.Broken;
                    break;
                }
            }

            nuint distance = Value(entry, taken);
            if (distance > (nuint)(output - outputStart))
            {
                outcome = DeflateOutcome.Broken;
                break;
            }

            // The next symbol is looked up while the match is copied.
            Refill(ref bits, ref bitCount, ref input);
            entry = literalLengths[(uint)bits & LiteralLengthMask];

            byte* source = output - distance;
            byte* target = output;
            output += length;
            if (distance >= 16)
            {
                Wide.Copy32(source, target);
                if (length > 32)
                {
                    do
                    {
                        source += 32;
                        target += 32;
                        Wide.Copy32(source, target);
                    }
                    while (target + 32 < output);
                }
            }
            else
            {
                CopyNear(source, target, output, (int)distance);
            }
        }
        while (input <= lastInput && output <= lastOutput);

        // Whole bytes that were read ahead go back.
        bitCount &= CodeEntry.BitsMask;
        _input = input - (bitCount >> 3);
        _bitCount = (int)bitCount & 7;
        _bits = bits & ((1u << _bitCount) - 1);
        _output = output;
        return outcome;
    }

    /// <summary>Fills up to at least 56 bits; what of the 8 bytes is not counted is read again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Refill(ref ulong bits, ref uint bitCount, ref byte* input)
    {
        bits |= LittleEndian(Unsafe.ReadUnaligned<ulong>(input)) << (int)bitCount;
        input += (~bitCount >> 3) & 7;
        bitCount |= 56;
    }

    /// <summary>Takes the bits of an entry.</summary>
    /// <returns>The bits before that, with the extra bits.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Take(uint entry, ref ulong bits, ref uint bitCount)
    {
        ulong taken = bits;
        bits >>= (int)entry;
        bitCount -= entry;
        return taken;
    }

    /// <summary>A match whose source lies less than 16 bytes back, and so may repeat itself within 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyNear(byte* source, byte* target, byte* end, int distance)
    {
        if (distance >= 8)
        {
            do
            {
                Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<ulong>(source));
                Unsafe.WriteUnaligned(target + 8, Unsafe.ReadUnaligned<ulong>(source + 8));
                source += 16;
                target += 16;
            }
            while (target < end);
            return;
        }

        // A word that repeats the bytes from the source on: doubled until they fill it.
        int bits = distance * 8;
        ulong repeated = LittleEndian(Unsafe.ReadUnaligned<ulong>(source)) & ((1UL << bits) - 1);
        repeated |= repeated << bits;
        if (distance < 4)
        {
            repeated |= repeated << (2 * bits);
            if (distance == 1)
            {
                repeated |= repeated << (4 * bits);
            }
        }

        repeated = LittleEndian(repeated);
        if ((distance & (distance - 1)) == 0)
        {
            Vector128<ulong> wide = Vector128.Create(repeated);
            do
            {
                Unsafe.WriteUnaligned(target, wide);
                Unsafe.WriteUnaligned(target + 16, wide);
                target += 32;
            }
            while (target < end);
            return;
        }

        int step = distance == 3 ? 6 : distance;
        do
        {
            Unsafe.WriteUnaligned(target, repeated);
            target += step;
        }
        while (target < end);
    }

    /// <summary>The smallest length or distance plus the extra bits, the last of those that were taken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Value(uint entry, ulong taken) =>
        (entry >> CodeEntry.ValueShift) + (uint)(taken << -(int)entry >> 1 >> (int)(entry >> CodeEntry.ExtraBitsShift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint NextIndex(uint entry, ulong bits) =>
        (entry >> CodeEntry.ValueShift) + ((uint)bits & ((1u << (int)(entry >> CodeEntry.IndexBitsShift)) - 1));
}
