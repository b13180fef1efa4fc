using System.Numerics;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Decodes the bitstream of a Sequences_Section (RFC 8878, section 3.1.1.3.2).</summary>
internal unsafe ref struct SequenceReader
{
    private readonly ZstdTables* _tables;
    private readonly byte* _start;

    // Where the next bit is, from the start; -1 after the last one, and less if there were too few.
    private long _next;
    private ulong _literalLength;
    private ulong _matchLength;
    private ulong _offset;
    private long _lastStateBits;

    /// <summary>Opens a bitstream, and reads the first states.</summary>
    /// <param name="tables">The tables of the three codes; sequences go there.</param>
    /// <param name="logs">The accuracy logs of these tables.</param>
    /// <param name="input">The bitstream; 8 bytes before it can be read.</param>
    /// <param name="inputEnd">Its end.</param>
    public SequenceReader(ZstdTables* tables, in SequenceLogs logs, byte* input, byte* inputEnd)
    {
        _tables = tables;
        _start = input;
        _next = input == inputEnd || inputEnd[-1] == 0 ? long.MinValue / 2 : Bits.Length(input, inputEnd) - 1;
        _literalLength = tables->LiteralLengths[Take(logs.LiteralLengths)];
        _offset = tables->Offsets[Take(logs.Offsets)];
        _matchLength = tables->MatchLengths[Take(logs.MatchLengths)];
    }

    /// <summary>All of the bitstream was read, and no more.</summary>
    // The last sequence is not followed by states.
    public readonly bool IsAtEnd => _next + _lastStateBits == -1;

    /// <summary>Decodes <paramref name="count"/> sequences, at least one.</summary>
    /// <returns>False if the bitstream does not hold so many.</returns>
    public bool TryRead(int count)
    {
        ulong* sequence = _tables->Sequences;
        ulong* end = sequence + (ZstdTables.SequenceFields * count);
        do
        {
            long left = (end - sequence) / ZstdTables.SequenceFields;
            long rounds = Math.Clamp(_next / Bits.PerWord, 0, left - 1);
            sequence = ReadFast(sequence, sequence + (ZstdTables.SequenceFields * rounds));
            ReadOne(sequence);
            sequence += ZstdTables.SequenceFields;
        }
        while (sequence < end && _next >= -1);

        return sequence == end && _next + _lastStateBits >= -1;
    }

    /// <summary>Decodes sequences as long as one word of the bitstream is enough for each.</summary>
    /// <returns>Behind the last sequence that was decoded.</returns>
    // Nothing is called, as what lives across a call hardly finds a register.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong* ReadFast(ulong* sequence, ulong* end)
    {
        // One register finds all tables, and also the bits, counted from address 0.
        byte* tables = (byte*)_tables;
        long next = ((long)_start * 8) + _next;
        ulong literalLength = _literalLength;
        ulong matchLength = _matchLength;
        ulong offset = _offset;
        while (sequence < end)
        {
            // In this order, as the literals length comes from its table last.
            uint sums = ((uint)offset + (uint)matchLength + (uint)literalLength) >> SequenceCodes.AllBitsShift;
            ulong allBits = (byte)sums;
            if (allBits > Bits.PerWord)
            {
                break;
            }

            ulong bits = BitOperations.RotateLeft(Bits.Load((byte*)(next >> 3) - 7), (int)~next & 7);
            next -= (long)allBits;
            sequence[2] = ((bits >> 1) | (1UL << 63)) >> (int)(offset >> SequenceCodes.ValueShift);

            // Rotated such that the bits of each value are the lowest ones, and from the last one back, as where the
            // bits of the last state end is known first.
            bits = BitOperations.RotateLeft(bits, (int)sums);
            byte* table = tables + ((offset >> SequenceCodes.NextStateShift) * sizeof(ulong));
            ulong state = bits & (ushort)offset;
            bits = BitOperations.RotateRight(bits, (int)(offset >> SequenceCodes.StateBitsShift));
            offset = *(ulong*)(table + (state * sizeof(ulong)) + ZstdTables.OffsetsStart);
            table = tables + ((matchLength >> SequenceCodes.NextStateShift) * sizeof(ulong));
            state = bits & (ushort)matchLength;
            bits = BitOperations.RotateRight(bits, (int)(matchLength >> SequenceCodes.StateBitsShift));
            ulong nextMatchLength = *(ulong*)(table + (state * sizeof(ulong)) + ZstdTables.MatchLengthsStart);
            table = tables + ((literalLength >> SequenceCodes.NextStateShift) * sizeof(ulong));
            state = bits & (ushort)literalLength;
            ulong nextLiteralLength = *(ulong*)(table + (state * sizeof(ulong)) + ZstdTables.LiteralLengthsStart);

            bits = BitOperations.RotateRight(bits, (int)(literalLength >> SequenceCodes.StateBitsShift));
            uint extraBits = (uint)literalLength >> SequenceCodes.ExtraBitsShift;
            sequence[0] = ((literalLength >> SequenceCodes.ValueShift) & SequenceCodes.ValueMask) + (bits & ((ulong*)tables)[extraBits]);
            bits = BitOperations.RotateRight(bits, (int)extraBits);
            extraBits = (uint)matchLength >> SequenceCodes.ExtraBitsShift;
            sequence[1] = ((matchLength >> SequenceCodes.ValueShift) & SequenceCodes.ValueMask) + (bits & ((ulong*)tables)[extraBits]);
            literalLength = nextLiteralLength;
            matchLength = nextMatchLength;
            sequence += ZstdTables.SequenceFields;
        }

        _next = next - ((long)_start * 8);
        _literalLength = literalLength;
        _matchLength = matchLength;
        _offset = offset;
        return sequence;
    }

    /// <summary>Decodes a sequence of any extra bits.</summary>
    private void ReadOne(ulong* sequence)
    {
        uint bits = (byte)(_offset >> SequenceCodes.ExtraBitsShift);
        sequence[2] = (1UL << (int)bits) + Take(bits);
        sequence[1] = TakeLength(_matchLength);
        sequence[0] = TakeLength(_literalLength);

        long next = _next;
        _literalLength = _tables->LiteralLengths[NextState(_literalLength)];
        _matchLength = _tables->MatchLengths[NextState(_matchLength)];
        _offset = _tables->Offsets[NextState(_offset)];
        _lastStateBits = next - _next;
    }

    private ulong TakeLength(ulong entry) =>
        ((entry >> SequenceCodes.ValueShift) & SequenceCodes.ValueMask) + Take((byte)(entry >> SequenceCodes.ExtraBitsShift));

    private ulong NextState(ulong entry) =>
        (entry >> SequenceCodes.NextStateShift) + Take((uint)(entry >> SequenceCodes.StateBitsShift) & 63);

    /// <summary>Up to 56 bits; anything if there are less.</summary>
    private ulong Take(uint count)
    {
        ulong value = _next < 0 ? 0 : Bits.Peek(Bits.Window(_start, _next + 1), count);
        _next -= count;
        return value;
    }
}
