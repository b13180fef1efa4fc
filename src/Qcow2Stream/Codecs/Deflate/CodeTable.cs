using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Deflate;

/// <summary>
/// Builds decoding tables: 1 &lt;&lt; rootBits entries found by the next bits of the stream, and after them tables for
/// the codes that are longer. Every entry that a bit pattern can lead to is written.
/// </summary>
internal static unsafe class CodeTable
{
    public const int LiteralLengthBits = 11;
    public const int DistanceBits = 8;
    public const int CodeLengthBits = 7;

    // The largest tables that complete codes of up to 15 bits can need, for 288 symbols and for 32.
    public const int LiteralLengthCapacity = 2342;
    public const int DistanceCapacity = 402;
    public const int CodeLengthCapacity = 1 << CodeLengthBits;

    public const int MaxCodeLength = 15;

    /// <summary>The two tables of fixed blocks, the first one's full capacity before the second.</summary>
    public static readonly uint[] Fixed = MakeFixed();

    /// <summary>Builds the table of the literal/length code.</summary>
    /// <returns>False if the lengths are not those of a code that zlib takes.</returns>
    public static bool TryBuildLiteralLengths(byte* lengths, int count, uint* table) =>
        TryBuild(lengths, count, Symbols.LiteralLengths, table, LiteralLengthBits, LiteralLengthCapacity, mayBePartial: true);

    /// <inheritdoc cref="TryBuildLiteralLengths"/>
    public static bool TryBuildDistances(byte* lengths, int count, uint* table) =>
        TryBuild(lengths, count, Symbols.Distances, table, DistanceBits, DistanceCapacity, mayBePartial: true);

    /// <inheritdoc cref="TryBuildLiteralLengths"/>
    public static bool TryBuildCodeLengths(byte* lengths, uint* table) =>
        TryBuild(lengths, Symbols.CodeLengthCount, Symbols.CodeLengths, table, CodeLengthBits, CodeLengthCapacity, mayBePartial: false);

    private static uint[] MakeFixed()
    {
        uint[] tables = GC.AllocateArray<uint>(LiteralLengthCapacity + DistanceCapacity, pinned: true);
        byte* lengths = stackalloc byte[Symbols.LiteralLengthCount];
        Span<byte> span = new(lengths, Symbols.LiteralLengthCount);
        span[..144].Fill(8);
        span[144..256].Fill(9);
        span[256..280].Fill(7);
        span[280..].Fill(8);
        fixed (uint* table = tables)
        {
            _ = TryBuildLiteralLengths(lengths, Symbols.LiteralLengthCount, table);
            span[..Symbols.DistanceCount].Fill(5);
            _ = TryBuildDistances(lengths, Symbols.DistanceCount, table + LiteralLengthCapacity);
        }

        return tables;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryBuild(
        byte* lengths, int count, uint[] symbols, uint* table, int rootBits, int capacity, bool mayBePartial)
    {
        uint* entries = (uint*)Unsafe.AsPointer(ref symbols[0]);
        int* counts = stackalloc int[MaxCodeLength + 1];
        int* starts = stackalloc int[MaxCodeLength + 1];
        ushort* sorted = stackalloc ushort[Symbols.LiteralLengthCount];

        new Span<int>(counts, MaxCodeLength + 1).Clear();
        for (int i = 0; i < count; i++)
        {
            counts[lengths[i]]++;
        }

        // How many codes of the current length are free, and where each length starts in the sorted symbols.
        int free = 1;
        int start = 0;
        int maxLength = 0;
        starts[0] = 0;
        for (int length = 1; length <= MaxCodeLength; length++)
        {
            start += counts[length - 1];
            starts[length] = start;
            free = (free << 1) - counts[length];
            if (free < 0)
            {
                return false;
            }

            maxLength = counts[length] != 0 ? length : maxLength;
        }

        for (int i = 0; i < count; i++)
        {
            sorted[starts[lengths[i]]++] = (ushort)i;
        }

        ushort* symbol = sorted + counts[0];
        if (free != 0)
        {
            return TryFillPartial(maxLength, symbol, entries, table, rootBits, mayBePartial);
        }

        // Shorter codes first. Up to the root's bits, the table doubles with the length; codes that are not placed yet
        // overwrite the copies.
        int rootLength = Math.Min(maxLength, rootBits);
        uint code = 0;
        table[0] = 0;
        for (int length = 1; length <= rootLength; length++)
        {
            code <<= 1;
            int size = 1 << (length - 1);
            Unsafe.CopyBlockUnaligned(table + size, table, (uint)size * sizeof(uint));
            for (int left = counts[length]; left > 0; left--)
            {
                table[Reverse(code++, length)] = CodeEntry.WithCode(entries[*symbol++], length);
            }
        }

        for (int length = rootLength; length < rootBits; length++)
        {
            Unsafe.CopyBlockUnaligned(table + (1 << length), table, (1u << length) * sizeof(uint));
        }

        return maxLength <= rootBits || TryFillNextTables(counts, maxLength, code, symbol, entries, table, rootBits, capacity);
    }

    /// <summary>The codes that are longer than the root's bits.</summary>
    private static bool TryFillNextTables(
        int* counts, int maxLength, uint code, ushort* symbol, uint* entries, uint* table, int rootBits, int capacity)
    {
        uint prefix = uint.MaxValue;
        int next = 0;
        int nextBits = 0;
        int end = 1 << rootBits;
        for (int length = rootBits + 1; length <= maxLength; length++)
        {
            code <<= 1;
            for (int left = counts[length]; left > 0; left--)
            {
                if (code >> (length - rootBits) != prefix)
                {
                    prefix = code >> (length - rootBits);
                    next = end;
                    nextBits = length - rootBits;
                    for (int used = left; used < 1 << nextBits && rootBits + nextBits < maxLength;)
                    {
                        nextBits++;
                        used = (used << 1) + counts[rootBits + nextBits];
                    }

                    end += 1 << nextBits;
                    if (end > capacity)
                    {
                        return false;
                    }

                    table[Reverse(prefix, rootBits)] = CodeEntry.NextTable(next - (1 << rootBits), nextBits, rootBits);
                }

                uint entry = CodeEntry.WithCode(entries[*symbol++], length - rootBits);
                int step = 1 << (length - rootBits);
                for (int i = (int)(Reverse(code, length) >> rootBits); i < 1 << nextBits; i += step)
                {
                    table[next + i] = entry;
                }

                code++;
            }
        }

        return true;
    }

    /// <summary>What zlib takes of codes that leave bit patterns without a meaning.</summary>
    private static bool TryFillPartial(
        int maxLength, ushort* symbol, uint* entries, uint* table, int rootBits, bool mayBePartial)
    {
        Span<uint> root = new(table, 1 << rootBits);
        if (maxLength == 0)
        {
            // No code at all is an error where one is needed; as code length code, each bit is then a length of 0.
            root.Fill(mayBePartial ? CodeEntry.InvalidBit : CodeEntry.WithCode(entries[0], 1));
            return true;
        }

        if (maxLength != 1 || !mayBePartial)
        {
            return false;
        }

        for (int i = 0; i < root.Length; i += 2)
        {
            root[i] = CodeEntry.WithCode(entries[*symbol], 1);
            root[i + 1] = CodeEntry.InvalidBit;
        }

        return true;
    }

    /// <summary>The code as the stream holds it: its first bit lowest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Reverse(uint code, int length)
    {
        // Swaps neighbours, pairs, quads and then the bytes of 16 bits.
        code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
        code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333);
        code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f);
        return (uint)BinaryPrimitives.ReverseEndianness((ushort)code) >> (16 - length);
    }
}
