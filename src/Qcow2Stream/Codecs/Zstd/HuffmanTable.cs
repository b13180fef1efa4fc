using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>
/// The Huffman code of literals (RFC 8878, section 4.2): its table is found by the next <see cref="UsualLog"/> bits, and
/// says how many of them a code takes (low byte) and which literal that is (high byte).
/// </summary>
internal static unsafe class HuffmanTable
{
    /// <summary>The longest code that the format has.</summary>
    public const int UsualLog = 11;

    /// <summary>The longest code that libzstd takes.</summary>
    public const int MaxLog = 12;

    /// <summary>The table, and room for a vector after its last entry.</summary>
    public const int Capacity = (1 << MaxLog) + EntriesPerVector;

    public const int LiteralShift = 8;

    public const int MaxWeightsLog = 6;

    private const int EntriesPerVector = 8;
    private const int MaxSymbols = 256;

    // As codes of a table of weights: just themselves.
    private static readonly ulong[] WeightCodes = MakeWeightCodes();

    /// <summary>Reads the description of a Huffman tree, and builds its table.</summary>
    /// <param name="input">Where it starts; then, where it ends.</param>
    /// <param name="inputEnd">What comes after it must not be needed.</param>
    /// <param name="tables">The table is built there.</param>
    /// <returns>How many bits find an entry: <see cref="UsualLog"/> or <see cref="MaxLog"/>; 0 if it is broken.</returns>
    public static int Read(ref byte* input, byte* inputEnd, ZstdTables* tables)
    {
        byte* from = input;
        if (from == inputEnd)
        {
            return 0;
        }

        int count;
        int head = *from++;
        if (head >= 128)
        {
            // Four bits each.
            count = head - 127;
            int length = (count + 1) / 2;
            if (inputEnd - from < length)
            {
                return 0;
            }

            for (int i = 0; i < length; i++)
            {
                tables->Weights[2 * i] = (byte)(from[i] >> 4);
                tables->Weights[(2 * i) + 1] = (byte)(from[i] & 15);
            }

            input = from + length;
        }
        else
        {
            if (inputEnd - from < head || (count = ReadCompressedWeights(from, from + head, tables)) == 0)
            {
                return 0;
            }

            input = from + head;
        }

        return Build(tables->Weights, count, tables->Huffman);
    }

    /// <summary>Reads weights that two interleaved FSE states stand for.</summary>
    /// <returns>How many there are; 0 if they are broken.</returns>
    private static int ReadCompressedWeights(byte* input, byte* inputEnd, ZstdTables* tables)
    {
        int log = FseTable.ReadDistribution(ref input, inputEnd, tables->Distribution, MaxSymbols, MaxWeightsLog, out int symbols);
        if (log == 0 || input == inputEnd || inputEnd[-1] == 0)
        {
            return 0;
        }

        ulong* table = tables->WeightStates;
        FseTable.Build(tables->Distribution, symbols, log, WeightCodes, table);

        // The description is less than 128 bytes long and never the first of the source: 8 bytes before it can be read.
        long left = Bits.Length(input, inputEnd) - (2 * log);
        if (left < 0)
        {
            return 0;
        }

        ulong bits = Bits.Window(input, left + (2 * log));
        ulong one = table[bits >> (64 - log)];
        ulong two = table[bits << log >> (64 - log)];
        byte* weights = tables->Weights;
        for (int count = 0; count < MaxSymbols - 2; count += 2)
        {
            // Of up to six bits, two at once.
            weights[count] = (byte)(one >> SequenceCodes.ValueShift);
            weights[count + 1] = (byte)(two >> SequenceCodes.ValueShift);
            bits = Bits.Window(input, left);
            left -= (byte)(one >> SequenceCodes.AllBitsShift);
            if (left < 0)
            {
                return count + 2;
            }

            ulong next = table[(one >> SequenceCodes.NextStateShift) + Bits.Peek(bits, one >> SequenceCodes.StateBitsShift)];
            bits <<= (int)(one >> SequenceCodes.StateBitsShift);
            weights[count + 2] = (byte)(next >> SequenceCodes.ValueShift);
            left -= (byte)(two >> SequenceCodes.AllBitsShift);
            if (left < 0)
            {
                return count + 3;
            }

            two = table[(two >> SequenceCodes.NextStateShift) + Bits.Peek(bits, two >> SequenceCodes.StateBitsShift)];
            one = next;
        }

        return 0;
    }

    /// <summary>Adds the last weight, which is not listed, and builds the table.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Build(byte* weights, int count, ushort* table)
    {
        const int Weights = MaxLog + 1;
        int* counts = stackalloc int[Weights];
        int* starts = stackalloc int[Weights + 1];
        byte* sorted = stackalloc byte[MaxSymbols];

        new Span<int>(counts, Weights).Clear();
        for (int i = 0; i < count; i++)
        {
            int weight = weights[i];
            if (weight >= Weights)
            {
                return 0;
            }

            counts[weight]++;
        }

        uint total = 0;
        for (int weight = 1; weight < Weights; weight++)
        {
            total += (uint)counts[weight] << (weight - 1);
        }

        if (total == 0)
        {
            return 0;
        }

        // The last weight makes the sum a power of two.
        int log = BitOperations.Log2(total) + 1;
        uint rest = (1u << log) - total;
        if (log > MaxLog || !BitOperations.IsPow2(rest))
        {
            return 0;
        }

        int lastWeight = BitOperations.Log2(rest) + 1;
        weights[count++] = (byte)lastWeight;
        counts[lastWeight]++;
        if (counts[1] < 2 || (counts[1] & 1) != 0)
        {
            return 0;
        }

        starts[0] = 0;
        for (int weight = 0; weight < Weights; weight++)
        {
            starts[weight + 1] = starts[weight] + counts[weight];
        }

        for (int i = 0; i < count; i++)
        {
            sorted[starts[weights[i]]++] = (byte)i;
        }

        // Lowest weights, that is longest codes, first. Each entry is written to a whole vector at least; the next ones
        // overwrite what is too much.
        int tableLog = Math.Max(log, UsualLog);
        byte* symbol = sorted + counts[0];
        ushort* entries = table;
        for (int weight = 1; weight <= log; weight++)
        {
            int length = 1 << (weight - 1 + tableLog - log);
            int bits = log + 1 - weight;
            for (int left = counts[weight]; left > 0; left--)
            {
                Vector128<ushort> entry = Vector128.Create((ushort)((*symbol++ << LiteralShift) | bits));
                entry.Store(entries);
                for (int i = EntriesPerVector; i < length; i += EntriesPerVector)
                {
                    entry.Store(entries + i);
                }

                entries += length;
            }
        }

        return tableLog;
    }

    private static ulong[] MakeWeightCodes()
    {
        ulong[] codes = GC.AllocateArray<ulong>(MaxSymbols, pinned: true);
        for (uint i = 0; i < codes.Length; i++)
        {
            codes[i] = (ulong)i << SequenceCodes.ValueShift;
        }

        return codes;
    }
}
