using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Zstd;

/// <content>What sequences make of the literals (RFC 8878, sections 3.1.1.4 and 3.1.1.5).</content>
internal unsafe ref partial struct ZstdFrameDecoder
{
    // Copies end less than this many bytes past what they should write.
    private const int OutputSlack = 32;

    /// <summary>Copies the literals and the matches of <paramref name="count"/> sequences.</summary>
    /// <returns>False if there are not so many literals, no such match, or no room.</returns>
    private bool TryExecute(int count, byte* blockOutputEnd)
    {
        ulong* sequence = _tables->Sequences;
        ulong* end = sequence + (ZstdTables.SequenceFields * count);
        sequence = ExecuteFast(sequence, end, blockOutputEnd);
        return sequence == end || (sequence != null && TryExecuteCarefully(sequence, end, blockOutputEnd));
    }

    /// <summary>Executes sequences as long as there are literals, and the end of the output is not near.</summary>
    /// <returns>Behind the last sequence that was executed; null if the next one is broken.</returns>
    /// <remarks>
    /// Copies are made of whole vectors, the last of which ends less than OutputSlack bytes too late; reads of literals
    /// do so too, and those of a match lie between the start of the frame, as its source is compared with it, and less
    /// than OutputSlack bytes past the bytes that the sequence will write.
    /// </remarks>
    // Nothing is called, as what lives across a call hardly finds a register.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong* ExecuteFast(ulong* sequence, ulong* end, byte* blockOutputEnd)
    {
        byte* masks = (byte*)Unsafe.AsPointer(ref NearMatch.Masks[0]);
        byte* output = _output;
        byte* lastOutput = blockOutputEnd - OutputSlack;
        byte* literals = _literals;
        byte* literalsEnd = _literalsEnd;
        nuint maxOffset = (nuint)_maxOffset;
        nint frameStart = (nint)_frameStart;
        nuint recent1 = _repeats.First;
        nuint recent2 = _repeats.Second;
        nuint recent3 = _repeats.Third;
        while (sequence < end)
        {
            nuint literalsLength = (nuint)sequence[0];
            nuint offset = (nuint)sequence[2];
            byte* matchStart = output + literalsLength;
            byte* matchEnd = matchStart + sequence[1];
            byte* nextLiterals = literals + literalsLength;
            if (matchEnd > lastOutput || nextLiterals > literalsEnd)
            {
                break;
            }

            if (offset > 3)
            {
                offset -= 3;
                recent3 = recent2;
                recent2 = recent1;
            }
            else
            {
                // Without literals, the most recent offset is not meant: a match would just have been longer.
                offset += literalsLength == 0 ? 1u : 0;
                if (offset == 1)
                {
                    offset = recent1;
                }
                else
                {
                    nuint chosen = offset == 2 ? recent2 : offset == 3 ? recent3 : recent1 - 1;
                    recent3 = offset == 2 ? recent3 : recent2;
                    recent2 = recent1;
                    offset = chosen;
                    if (offset == 0)
                    {
                        // Is no offset, and points to no byte.
                        offset = (nuint)matchStart;
                    }
                }
            }

            // As numbers with a sign, for an offset can lead before address 0.
            byte* source = matchStart - offset;
            recent1 = offset;
            if ((nint)source < frameStart || offset > maxOffset)
            {
                return null;
            }

            nuint matchLength = (nuint)sequence[1];
            sequence += ZstdTables.SequenceFields;
            Wide.Copy16(literals, output);
            if (literalsLength > 16)
            {
                byte* from = literals + 16;
                byte* to = output + 16;
                do
                {
                    Wide.Copy32(from, to);
                    from += 32;
                    to += 32;
                }
                while (to < matchStart);
            }

            literals = nextLiterals;
            output = matchEnd;
            if (offset >= 16)
            {
                Wide.Copy16(source, matchStart);
                if (matchLength > 16)
                {
                    source += 16;
                    matchStart += 16;
                    do
                    {
                        Wide.Copy32(source, matchStart);
                        source += 32;
                        matchStart += 32;
                    }
                    while (matchStart < output);
                }
            }
            else
            {
                NearMatch.Copy(source, matchStart, output, offset, masks);
            }
        }

        _output = output;
        _literals = literals;
        _repeats = new RepeatOffsets(recent1, recent2, recent3);
        return sequence;
    }

    /// <summary>Executes sequences, writing nothing past them.</summary>
    private bool TryExecuteCarefully(ulong* sequence, ulong* end, byte* blockOutputEnd)
    {
        for (; sequence < end; sequence += ZstdTables.SequenceFields)
        {
            int literalsLength = (int)sequence[0];
            int matchLength = (int)sequence[1];
            if (literalsLength > _literalsEnd - _literals || literalsLength + matchLength > blockOutputEnd - _output)
            {
                return false;
            }

            new ReadOnlySpan<byte>(_literals, literalsLength).CopyTo(new Span<byte>(_output, literalsLength));
            _literals += literalsLength;
            _output += literalsLength;

            ulong offset = _repeats.Use(sequence[2], literalsLength == 0);
            if (offset == 0 || offset > (ulong)(_output - _frameStart) || offset > _maxOffset)
            {
                return false;
            }

            NearMatch.CopyExactly(_output, (nuint)offset, matchLength);
            _output += matchLength;
        }

        return true;
    }
}
