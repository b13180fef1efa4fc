using System.Numerics;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Distributions of symbols, and the decoding tables made of them (RFC 8878, section 4.1).</summary>
internal static unsafe class FseTable
{
    private const int MaxLog = 9;
    private const int MinLog = 5;

    // A symbol's states are numbered from its frequency on; read through pointers, and so in the heap that does not move.
    private static readonly ulong[] States = MakeStates();

    /// <summary>Reads a distribution of up to <paramref name="capacity"/> symbols.</summary>
    /// <param name="input">Where it starts; then, where it ends.</param>
    /// <param name="inputEnd">What comes after it must not be needed.</param>
    /// <param name="distribution">How many states each symbol has; -1 is one at the table's end.</param>
    /// <param name="capacity">What more symbols need is an error.</param>
    /// <param name="maxLog">The largest accuracy log that is allowed.</param>
    /// <param name="count">The number of symbols.</param>
    /// <returns>The accuracy log; 0 if the distribution is broken.</returns>
    public static int ReadDistribution(
        ref byte* input, byte* inputEnd, short* distribution, int capacity, int maxLog, out int count)
    {
        count = 0;
        byte* from = input;
        long available = (inputEnd - from) * 8;
        int log = (int)(Load(from, inputEnd) & 15) + MinLog;
        if (log > maxLog)
        {
            return 0;
        }

        int position = 4;
        int remaining = (1 << log) + 1;
        int threshold = 1 << log;
        int bits = log + 1;
        int symbol = 0;
        while (remaining > 1 && symbol < capacity)
        {
            uint next = (uint)(Load(from + (position >> 3), inputEnd) >> (position & 7));

            // Values that need one bit less are so many.
            int fewer = (2 * threshold) - 1 - remaining;
            int value = (int)next & (threshold - 1);
            if (value < fewer)
            {
                position += bits - 1;
            }
            else
            {
                value = (int)next & ((2 * threshold) - 1);
                value -= value >= threshold ? fewer : 0;
                position += bits;
            }

            int probability = value - 1;
            remaining -= Math.Abs(probability);
            distribution[symbol++] = (short)probability;
            while (remaining < threshold)
            {
                bits--;
                threshold >>= 1;
            }

            if (probability == 0)
            {
                uint zeros;
                do
                {
                    zeros = (uint)(Load(from + (position >> 3), inputEnd) >> (position & 7)) & 3;
                    position += 2;
                    for (uint i = 0; i < zeros && symbol < capacity; i++)
                    {
                        distribution[symbol++] = 0;
                    }
                }
                while (zeros == 3 && symbol < capacity);
            }
        }

        if (remaining != 1 || position > available)
        {
            return 0;
        }

        count = symbol;
        input = from + ((position + 7) >> 3);
        return log;
    }

    /// <summary>Builds a table of 1 &lt;&lt; log entries; see <see cref="SequenceCodes"/> about what they are.</summary>
    /// <param name="distribution">How many states each symbol has: as many as there are entries, in all.</param>
    /// <param name="count">The number of symbols.</param>
    /// <param name="log">The accuracy log.</param>
    /// <param name="codes">The entries of the symbols; pinned.</param>
    /// <param name="table">Filled.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Build(short* distribution, int count, int log, ulong[] codes, ulong* table)
    {
        ulong* entries = (ulong*)Unsafe.AsPointer(ref codes[0]);
        ulong* states = (ulong*)Unsafe.AsPointer(ref States[0]) + (2 << log);
        byte* symbols = stackalloc byte[1 << MaxLog];
        byte* sorted = stackalloc byte[(1 << MaxLog) + sizeof(ulong)];
        ushort* next = stackalloc ushort[256];

        int size = 1 << log;
        int mask = size - 1;
        int last = mask;
        byte* end = sorted;
        for (int symbol = 0; symbol < count; symbol++)
        {
            // A word at least; the next symbols overwrite what is too much.
            int frequency = distribution[symbol];
            ulong copies = (uint)symbol * 0x0101010101010101UL;
            Unsafe.WriteUnaligned(end, copies);
            next[symbol] = (ushort)frequency;
            if (frequency > sizeof(ulong))
            {
                for (int i = sizeof(ulong); i < frequency; i += sizeof(ulong))
                {
                    Unsafe.WriteUnaligned(end + i, copies);
                }
            }
            else if (frequency < 0)
            {
                symbols[last--] = (byte)symbol;
                next[symbol] = 1;
                continue;
            }

            end += frequency;
        }

        int step = (size >> 1) + (size >> 3) + 3;
        int position = 0;
        for (byte* symbol = sorted; symbol < end; symbol++)
        {
            symbols[position] = *symbol;
            do
            {
                position = (position + step) & mask;
            }
            while (position > last);
        }

        for (int state = 0; state < size; state++)
        {
            int symbol = symbols[state];
            uint number = next[symbol];
            next[symbol] = (ushort)(number + 1);
            table[state] = entries[symbol] + states[number];
        }
    }

    /// <summary>For each log, at twice the table's size, what belongs to the state of a number.</summary>
    private static ulong[] MakeStates()
    {
        ulong[] states = GC.AllocateArray<ulong>(4 << MaxLog, pinned: true);
        for (int log = 0; log <= MaxLog; log++)
        {
            for (int number = 1; number < 2 << log; number++)
            {
                int bits = log - BitOperations.Log2((uint)number);
                ulong nextState = (ulong)((number << bits) - (1 << log));
                states[(2 << log) + number] = (nextState << SequenceCodes.NextStateShift)
                    + ((uint)bits * SequenceCodes.StateBit)
                    + ((1u << bits) - 1);
            }
        }

        return states;
    }

    /// <summary>8 bytes, zeros past the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load(byte* from, byte* end)
    {
        return end - from >= sizeof(ulong) ? Bits.Load(from) : LoadLast(from, end);

        static ulong LoadLast(byte* from, byte* end)
        {
            ulong value = 0;
            for (int i = 0; from + i < end; i++)
            {
                value |= (ulong)from[i] << (8 * i);
            }

            return value;
        }
    }
}
