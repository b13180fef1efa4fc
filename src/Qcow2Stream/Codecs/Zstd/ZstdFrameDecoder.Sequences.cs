namespace Qcow2Stream.Codecs.Zstd;

/// <content>The Sequences_Section (RFC 8878, section 3.1.1.3.2).</content>
internal unsafe ref partial struct ZstdFrameDecoder
{
    private const int LongCount = 0x7F00;

    private bool TryDecodeSequences(byte* section, byte* blockEnd)
    {
        byte* blockOutputEnd = _output + Room;
        if (!TryReadSequencesHeader(ref section, blockEnd, out int count))
        {
            return false;
        }

        if (count > 0)
        {
            SequenceReader reader = new(_tables, _logs, section, blockEnd);
            while (count > 0)
            {
                int some = Math.Min(count, ZstdTables.MaxSequences);
                if (!reader.TryRead(some) || !TryExecute(some, blockOutputEnd))
                {
                    return false;
                }

                count -= some;
            }

            if (!reader.IsAtEnd)
            {
                return false;
            }
        }

        // What no sequence uses comes last.
        long rest = _literalsEnd - _literals;
        if (rest > blockOutputEnd - _output)
        {
            return false;
        }

        new ReadOnlySpan<byte>(_literals, (int)rest).CopyTo(new Span<byte>(_output, (int)rest));
        _output += rest;
        return true;
    }

    /// <summary>Reads the number of sequences and, if there are any, the tables of their codes.</summary>
    private bool TryReadSequencesHeader(ref byte* section, byte* blockEnd, out int count)
    {
        count = 0;
        if (section == blockEnd)
        {
            return false;
        }

        int first = *section++;
        count = first;
        if (first >= 128)
        {
            int more = first == 255 ? 2 : 1;
            if (blockEnd - section < more)
            {
                return false;
            }

            count = first == 255 ? (section[0] | (section[1] << 8)) + LongCount : ((first - 128) << 8) | section[0];
            section += more;
        }

        if (count == 0)
        {
            return section == blockEnd;
        }

        // The lowest two bits are reserved.
        if (section == blockEnd || (*section & 3) != 0)
        {
            return false;
        }

        int modes = *section++;
        ReadOnlySpan<ulong> predefined = SequenceCodes.Predefined;
        if (!TryReadTable(
                ref section, blockEnd, modes >> 6, SequenceCodes.LiteralLengths, SequenceCodes.MaxLiteralLengthLog,
                predefined[..SequenceCodes.PredefinedMatchLengths], _tables->LiteralLengths, ref _logs.LiteralLengths)
            || !TryReadTable(
                ref section, blockEnd, (modes >> 4) & 3, SequenceCodes.Offsets, SequenceCodes.MaxOffsetLog,
                predefined[SequenceCodes.PredefinedOffsets..], _tables->Offsets, ref _logs.Offsets)
            || !TryReadTable(
                ref section, blockEnd, (modes >> 2) & 3, SequenceCodes.MatchLengths, SequenceCodes.MaxMatchLengthLog,
                predefined[SequenceCodes.PredefinedMatchLengths..SequenceCodes.PredefinedOffsets], _tables->MatchLengths, ref _logs.MatchLengths))
        {
            return false;
        }

        _logs.AreKnown = true;
        return true;
    }

    private readonly bool TryReadTable(
        ref byte* section, byte* blockEnd, int mode, ulong[] codes, int maxLog, ReadOnlySpan<ulong> predefined, ulong* table, ref uint log)
    {
        switch (mode)
        {
            case 0:
                predefined.CopyTo(new Span<ulong>(table, predefined.Length));
                log = (uint)int.Log2(predefined.Length);
                return true;
            case 1:
                if (section == blockEnd || *section >= codes.Length)
                {
                    return false;
                }

                table[0] = codes[*section++];
                log = 0;
                return true;
            case 2:
                log = (uint)FseTable.ReadDistribution(ref section, blockEnd, _tables->Distribution, codes.Length, maxLog, out int count);
                if (log == 0)
                {
                    return false;
                }

                FseTable.Build(_tables->Distribution, count, (int)log, codes, table);
                return true;
            default:
                return _logs.AreKnown;
        }
    }
}
