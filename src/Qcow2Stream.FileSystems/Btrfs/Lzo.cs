namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// Decompresses LZO1X ("LZO stream format as understood by Linux' LZO decompressor"): literals, and matches, which repeat what came before. How many
/// literals came with an instruction says how the next one is meant.
/// </summary>
internal static class Lzo
{
    private const int FirstLiterals = 17;
    private const int ManyLiterals = 4;
    private const int NearEnd = 2048;
    private const int FarStart = 16384;

    /// <returns>How many bytes came out.</returns>
    /// <exception cref="GuestException">The data is damaged, or more comes out than there is room for.</exception>
    public static int Decompress(ReadOnlySpan<byte> stored, Span<byte> decoded)
    {
        int from = 0;
        int to = 0;
        int literals = 0;
        if (stored.Length > 0 && stored[0] > FirstLiterals)
        {
            literals = stored[from++] - FirstLiterals;
            Copy(stored, ref from, decoded, ref to, literals);
            literals = Math.Min(literals, ManyLiterals);
        }

        while (true)
        {
            int instruction = Next(stored, ref from);
            int length;
            int distance;
            int following = instruction & 3;
            if (instruction >= 64)
            {
                length = (instruction >> 5) + 1;
                distance = (Next(stored, ref from) << 3) + ((instruction >> 2) & 7) + 1;
            }
            else if (instruction >= 16)
            {
                bool isFar = instruction < 32;
                int most = isFar ? 7 : 31;
                length = 2 + Long(stored, ref from, instruction & most, most);
                int pair = Next(stored, ref from) | (Next(stored, ref from) << 8);
                following = pair & 3;
                distance = (isFar ? FarStart + ((instruction & 8) << 11) : 1) + (pair >> 2);
                if (isFar && distance == FarStart)
                {
                    // The end.
                    return from == stored.Length && length == 3 ? to : throw Damaged();
                }
            }
            else if (literals == 0)
            {
                Copy(stored, ref from, decoded, ref to, 3 + Long(stored, ref from, instruction, 15));
                literals = ManyLiterals;
                continue;
            }
            else
            {
                length = literals == ManyLiterals ? 3 : 2;
                distance = (Next(stored, ref from) << 2) + (instruction >> 2) + 1 + (literals == ManyLiterals ? NearEnd : 0);
            }

            Repeat(decoded, ref to, distance, length);
            Copy(stored, ref from, decoded, ref to, following);
            literals = following;
        }
    }

    private static int Next(ReadOnlySpan<byte> stored, ref int from) => from < stored.Length ? stored[from++] : throw Damaged();

    /// <summary>A length that doesn't fit its bits goes on in the bytes that follow: zeros count 255 each.</summary>
    private static int Long(ReadOnlySpan<byte> stored, ref int from, int bits, int most)
    {
        if (bits != 0)
        {
            return bits;
        }

        int length = most;
        int next;
        while ((next = Next(stored, ref from)) == 0)
        {
            length += byte.MaxValue;
        }

        return length + next;
    }

    private static void Copy(ReadOnlySpan<byte> stored, ref int from, Span<byte> decoded, ref int to, int length)
    {
        if (length > stored.Length - from || length > decoded.Length - to)
        {
            throw Damaged();
        }

        stored.Slice(from, length).CopyTo(decoded[to..]);
        from += length;
        to += length;
    }

    /// <summary>What is repeated may be what is just being written.</summary>
    private static void Repeat(Span<byte> decoded, ref int to, int distance, int length)
    {
        if (distance > to || length > decoded.Length - to)
        {
            throw Damaged();
        }

        for (int end = to + length; to < end; to++)
        {
            decoded[to] = decoded[to - distance];
        }
    }

    private static GuestException Damaged() => new("its compressed data is damaged");
}
