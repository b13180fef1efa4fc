using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Deflate;

/// <summary>Decodes one raw deflate stream (RFC 1951) from memory into memory, in one go.</summary>
/// <remarks>
/// Accepts what QEMU does, which gives zlib all of the input and output at once: when the output is full, decoding continues
/// up to the next byte that would have to be written, and what is broken before that counts. DeflateStream gives zlib
/// 8 KiB of input at a time, and does not see what is broken after those that fill the output.
/// </remarks>
internal unsafe ref partial struct DeflateDecoder
{
    private readonly byte* _inputEnd;
    private readonly byte* _outputStart;
    private readonly byte* _outputEnd;
    private byte* _input;
    private byte* _output;

    // The next bits of the stream, the first one lowest. Above the lowest _bitCount bits may be some of the bits that
    // _input points at, which reading them again does not change; else zeros.
    private ulong _bits;
    private int _bitCount;

    private DeflateDecoder(byte* input, int inputLength, byte* output, int outputLength)
    {
        _input = input;
        _inputEnd = input + inputLength;
        _output = _outputStart = output;
        _outputEnd = output + outputLength;
    }

    /// <summary>Decodes until <paramref name="output"/> is full; see the type about what may follow.</summary>
    /// <returns>False if the data is broken or ends early; the content of <paramref name="output"/> is then undefined.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (output.IsEmpty)
        {
            return true;
        }

        fixed (byte* from = input)
        fixed (byte* to = output)
        {
            DeflateDecoder decoder = new(from, input.Length, to, output.Length);
            return decoder.DecodeBlocks() != DeflateOutcome.Broken && decoder._output == decoder._outputEnd;
        }
    }

    /// <summary>Decodes all of a stream, up to its end.</summary>
    /// <param name="input">The stream, and whatever follows it.</param>
    /// <param name="output">Room for what it yields; not empty.</param>
    /// <param name="consumed">How many bytes of the input are the stream.</param>
    /// <param name="written">How many bytes it yields.</param>
    /// <returns>False if the data is broken, ends early, or yields more than there is room for; the content of <paramref name="output"/> is then undefined.</returns>
    public static bool TryDecodeAll(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written)
    {
        fixed (byte* from = input)
        fixed (byte* to = output)
        {
            DeflateDecoder decoder = new(from, input.Length, to, output.Length);
            bool isEnd = decoder.DecodeBlocks() == DeflateOutcome.EndOfBlock;

            // Whole bytes that were read ahead are not the stream's.
            consumed = (int)(decoder._input - from) - (decoder._bitCount >> 3);
            written = (int)(decoder._output - to);
            return isEnd;
        }
    }

    /// <summary>Decodes block after block.</summary>
    /// <returns>The end of a block if that was the last, and why decoding stopped otherwise.</returns>
    [SkipLocalsInit]
    private DeflateOutcome DecodeBlocks()
    {
        Unsafe.SkipInit(out DeflateTables tables);
        bool isLast;
        do
        {
            Refill();
            if (_bitCount < 3)
            {
                return DeflateOutcome.Stopped;
            }

            isLast = (_bits & 1) != 0;
            uint type = (uint)(_bits >> 1) & 3;
            Take(3);
            DeflateOutcome outcome = type switch
            {
                0 => CopyStored(),
                1 => DecodeFixed(),
                2 => DecodeDynamic(&tables),
                _ => DeflateOutcome.Broken,
            };
            if (outcome != DeflateOutcome.EndOfBlock)
            {
                return outcome;
            }
        }
        while (!isLast);

        return DeflateOutcome.EndOfBlock;
    }

    private DeflateOutcome CopyStored()
    {
        // Whole bytes that were read ahead go back.
        _input -= _bitCount >> 3;
        _bits = 0;
        _bitCount = 0;
        if (_inputEnd - _input < 4)
        {
            _input = _inputEnd;
            return DeflateOutcome.Stopped;
        }

        int length = _input[0] | (_input[1] << 8);
        int complement = _input[2] | (_input[3] << 8);
        if (length != (complement ^ 0xffff))
        {
            return DeflateOutcome.Broken;
        }

        _input += 4;
        int possible = (int)Math.Min(length, Math.Min(_inputEnd - _input, _outputEnd - _output));
        new ReadOnlySpan<byte>(_input, possible).CopyTo(new Span<byte>(_output, possible));
        _input += possible;
        _output += possible;
        return possible == length ? DeflateOutcome.EndOfBlock : DeflateOutcome.Stopped;
    }

    private DeflateOutcome DecodeFixed()
    {
        uint* table = (uint*)Unsafe.AsPointer(ref CodeTable.Fixed[0]);
        return DecodeSymbols(table, table + CodeTable.LiteralLengthCapacity);
    }

    private DeflateOutcome DecodeDynamic(DeflateTables* tables)
    {
        DeflateOutcome outcome = ReadTables(tables);
        return outcome == DeflateOutcome.EndOfBlock ? DecodeSymbols(tables->LiteralLengths, tables->Distances) : outcome;
    }

    private DeflateOutcome DecodeSymbols(uint* literalLengths, uint* distances)
    {
        DeflateOutcome outcome = DecodeFast(literalLengths, distances);
        return outcome == DeflateOutcome.LittleLeft ? DecodeCarefully(literalLengths, distances) : outcome;
    }

    /// <summary>At least 56 bits, or all that are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Refill()
    {
        if (_inputEnd - _input >= sizeof(ulong))
        {
            _bits |= LittleEndian(Unsafe.ReadUnaligned<ulong>(_input)) << _bitCount;
            _input += (63 - _bitCount) >> 3;
            _bitCount |= 56;
        }
        else
        {
            while (_bitCount < 56 && _input < _inputEnd)
            {
                _bits |= (ulong)*_input++ << _bitCount;
                _bitCount += 8;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Take(int count)
    {
        _bits >>= count;
        _bitCount -= count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LittleEndian(ulong value) =>
        BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
}
