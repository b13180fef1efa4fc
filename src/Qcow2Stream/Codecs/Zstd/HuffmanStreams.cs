using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Decodes the streams of Huffman-coded literals (RFC 8878, section 4.2.2).</summary>
internal static unsafe class HuffmanStreams
{
    // Of the lengths of the first three streams (section 3.1.1.3.1.6).
    private const int JumpTable = 6;

    // Literals that are decoded without a check, and the bits that they take at most.
    private const int Group = 4;
    private const int GroupBits = Group * HuffmanTable.UsualLog;

    private const int UsualShift = 64 - HuffmanTable.UsualLog;

    /// <summary>Decodes one stream into the whole of the output.</summary>
    /// <param name="table">Found by <paramref name="log"/> bits.</param>
    /// <param name="log">See <see cref="HuffmanTable.Read"/>.</param>
    /// <param name="input">The stream; 8 bytes before it can be read.</param>
    /// <param name="inputEnd">The end of the stream.</param>
    /// <param name="output">Filled.</param>
    /// <param name="outputEnd">The end of what is filled.</param>
    /// <returns>False if the stream does not hold just the literals.</returns>
    public static bool TryDecodeOne(ushort* table, int log, byte* input, byte* inputEnd, byte* output, byte* outputEnd) =>
        input != inputEnd
        && inputEnd[-1] != 0
        && TryDecodeRest(table, log, input, Bits.Length(input, inputEnd), output, outputEnd);

    /// <summary>Decodes four streams, each but the last into a quarter of the output, rounded up.</summary>
    /// <inheritdoc cref="TryDecodeOne"/>
    public static bool TryDecodeFour(ushort* table, int log, byte* input, byte* inputEnd, byte* output, byte* outputEnd)
    {
        if (inputEnd - input < JumpTable)
        {
            return false;
        }

        uint length1 = Length(input);
        uint length2 = Length(input + 2);
        uint length3 = Length(input + 4);
        input += JumpTable;
        long quarter = (outputEnd - output + 3) / 4;
        byte* start1 = input;
        byte* start2 = start1 + length1;
        byte* start3 = start2 + length2;
        byte* start4 = start3 + length3;
        if (start4 >= inputEnd
            || length1 == 0 || length2 == 0 || length3 == 0
            || start2[-1] == 0 || start3[-1] == 0 || start4[-1] == 0 || inputEnd[-1] == 0
            || output + (3 * quarter) > outputEnd)
        {
            return false;
        }

        long left1 = Bits.Length(start1, start2);
        long left2 = Bits.Length(start2, start3);
        long left3 = Bits.Length(start3, start4);
        long left4 = Bits.Length(start4, inputEnd);
        byte* end = output + quarter;
        byte* next = output;
        if (log == HuffmanTable.UsualLog)
        {
            HuffmanCursors cursors = new()
            {
                Output = output,
                Left1 = left1,
                Left2 = left2,
                Left3 = left3,
                Left4 = left4,
            };
            DecodeFast(table, ref cursors, start1, start2, start3, start4, quarter, outputEnd - output - (3 * quarter));
            (left1, left2, left3, left4) = (cursors.Left1, cursors.Left2, cursors.Left3, cursors.Left4);
            next = cursors.Output;
        }

        return TryDecodeRest(table, log, start1, left1, next, end)
            && TryDecodeRest(table, log, start2, left2, next + quarter, end + quarter)
            && TryDecodeRest(table, log, start3, left3, next + (2 * quarter), end + (2 * quarter))
            && TryDecodeRest(table, log, start4, left4, next + (3 * quarter), outputEnd);
    }

    /// <summary>Decodes as many literals of each stream, as long as nothing need be checked for each.</summary>
    /// <remarks>
    /// What is read are the 8 bytes that end with the next bit of a stream. The rounds are as many as the shortest stream,
    /// and the last and shortest part of the output, have room for.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeFast(
        ushort* table, ref HuffmanCursors cursors, byte* start1, byte* start2, byte* start3, byte* start4, long quarter, long last)
    {
        byte* output = cursors.Output;
        byte* outputEnd = output + last;
        long threeQuarters = 3 * quarter;

        // Where the next bits are, counted from address 0 on: one register for each stream.
        long next1 = First(start1) + cursors.Left1 - 1;
        long next2 = First(start2) + cursors.Left2 - 1;
        long next3 = First(start3) + cursors.Left3 - 1;
        long next4 = First(start4) + cursors.Left4 - 1;
        ulong bits1 = Bits.Load((byte*)(next1 >> 3) - 7) << ((int)~next1 & 7);
        ulong bits2 = Bits.Load((byte*)(next2 >> 3) - 7) << ((int)~next2 & 7);
        ulong bits3 = Bits.Load((byte*)(next3 >> 3) - 7) << ((int)~next3 & 7);
        ulong bits4 = Bits.Load((byte*)(next4 >> 3) - 7) << ((int)~next4 & 7);
        while (true)
        {
            long room = Math.Min(
                Math.Min(next1 - First(start1), next2 - First(start2)), Math.Min(next3 - First(start3), next4 - First(start4)));
            long rounds = Math.Min((outputEnd - output) / Group, room / GroupBits);
            if (rounds <= 0)
            {
                break;
            }

            byte* end = output + (rounds * Group);
            do
            {
                DecodeGroup(table, ref bits1, ref next1, output);
                DecodeGroup(table, ref bits2, ref next2, output + quarter);
                DecodeGroup(table, ref bits3, ref next3, output + (2 * quarter));
                DecodeGroup(table, ref bits4, ref next4, output + threeQuarters);
                output += Group;
            }
            while (output < end);
        }

        cursors.Output = output;
        cursors.Left1 = next1 + 1 - First(start1);
        cursors.Left2 = next2 + 1 - First(start2);
        cursors.Left3 = next3 + 1 - First(start3);
        cursors.Left4 = next4 + 1 - First(start4);
    }

    private static long First(byte* start) => (long)start * 8;

    /// <summary>Four literals, of at most 11 bits each.</summary>
    /// <remarks>
    /// Each literal waits for the one before. So that the last one need not wait for a word of the bitstream too, that is
    /// read ahead, where the third literal ends; it then has 46 bits left, as many as the next group and more.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeGroup(ushort* table, ref ulong bits, ref long next, byte* output)
    {
        uint entry = table[bits >> UsualShift];
        output[0] = (byte)(entry >> HuffmanTable.LiteralShift);
        bits <<= (int)entry;
        uint sum = entry;
        entry = table[bits >> UsualShift];
        output[1] = (byte)(entry >> HuffmanTable.LiteralShift);
        bits <<= (int)entry;
        sum += entry;
        entry = table[bits >> UsualShift];
        output[2] = (byte)(entry >> HuffmanTable.LiteralShift);
        bits <<= (int)entry;

        // The sum of the bit counts is less than 256.
        next -= (byte)(sum + entry);
        ulong word = Bits.Load((byte*)(next >> 3) - 7) << ((int)~next & 7);
        entry = table[bits >> UsualShift];
        output[3] = (byte)(entry >> HuffmanTable.LiteralShift);
        bits = word << (int)entry;
        next -= (byte)entry;
    }

    /// <summary>Decodes what is left of one stream, looking after each group whether it held so much.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryDecodeRest(ushort* table, int log, byte* start, long left, byte* output, byte* outputEnd)
    {
        int shift = 64 - log;
        while (outputEnd - output >= 4 && left >= 0)
        {
            // Four codes of up to 12 bits, after up to 7 bits that were taken before.
            ulong bits = Bits.Window(start, left);
            for (int i = 0; i < 4; i++)
            {
                uint entry = table[bits >> shift];
                bits <<= (int)entry;
                left -= (byte)entry;
                *output++ = (byte)(entry >> HuffmanTable.LiteralShift);
            }
        }

        while (output < outputEnd && left >= 0)
        {
            uint entry = table[Bits.Window(start, left) >> shift];
            left -= (byte)entry;
            *output++ = (byte)(entry >> HuffmanTable.LiteralShift);
        }

        return left == 0;
    }

    private static uint Length(byte* from) => BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(from, sizeof(ushort)));
}
