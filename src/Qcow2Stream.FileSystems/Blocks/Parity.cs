using System.Numerics;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>
/// What is missing of a row of blocks that has parity: P, their sum, as in RAID 5, and Q beside it, a sum in which each block counts with a power of two, as
/// in RAID 6. All of it in the field of 256 elements whose polynomial is 0x11D (H. Peter Anvin, "The mathematics of RAID-6").
/// </summary>
internal static class Parity
{
    private const int Polynomial = 0x11D;
    private const int Order = 255;

    private static readonly byte[] Powers = MakePowers();
    private static readonly byte[] Logarithms = MakeLogarithms();

    /// <summary>Computes the blocks of data that are missing.</summary>
    /// <param name="data">The blocks, all of one length; null for what is missing, which is filled in.</param>
    /// <param name="p">Their sum; null if it is missing.</param>
    /// <param name="q">Their weighted sum; null if it is missing, or there is none.</param>
    /// <returns>Whether there was enough for that.</returns>
    public static bool Recover(byte[]?[] data, byte[]? p, byte[]? q)
    {
        int first = Array.IndexOf(data, null);
        int second = first < 0 ? -1 : Array.IndexOf(data, null, first + 1);
        bool isPossible = first < 0
            || (second < 0 ? p is not null || q is not null : p is not null && q is not null && Array.IndexOf(data, null, second + 1) < 0);
        if (first < 0 || !isPossible)
        {
            return isPossible;
        }

        if (second < 0 && p is not null)
        {
            data[first] = Sum(data, p);
        }
        else if (second < 0)
        {
            data[first] = Scaled(WeightedSum(data, q!), Order - first);
        }
        else
        {
            // D1 + D2 = P', g^1 D1 + g^2 D2 = Q': solved for D1.
            byte[] both = Sum(data, p!);
            byte[] found = WeightedSum(data, q!);
            Add(found, both, second);
            int divisor = Logarithms[Powers[first] ^ Powers[second]];
            data[first] = Scaled(found, Order - divisor);
            Add(both, data[first]!, 0);
            data[second] = both;
        }

        return true;
    }

    private static byte[] Sum(byte[]?[] data, byte[] parity)
    {
        byte[] sum = [.. parity];
        foreach (byte[] block in data.OfType<byte[]>())
        {
            Add(sum, block, 0);
        }

        return sum;
    }

    private static byte[] WeightedSum(byte[]?[] data, byte[] parity)
    {
        byte[] sum = [.. parity];
        for (int i = 0; i < data.Length; i++)
        {
            if (data[i] is { } block)
            {
                Add(sum, block, i);
            }
        }

        return sum;
    }

    /// <summary>Adds a block, weighted with a power of two.</summary>
    private static void Add(Span<byte> sum, ReadOnlySpan<byte> block, int power)
    {
        int at = 0;
        if (power == 0)
        {
            for (; at <= sum.Length - Vector<byte>.Count; at += Vector<byte>.Count)
            {
                (new Vector<byte>(sum[at..]) ^ new Vector<byte>(block[at..])).CopyTo(sum[at..]);
            }
        }

        for (; at < sum.Length; at++)
        {
            sum[at] ^= Product(block[at], power);
        }
    }

    private static byte[] Scaled(byte[] block, int power)
    {
        for (int i = 0; i < block.Length; i++)
        {
            block[i] = Product(block[i], power);
        }

        return block;
    }

    private static byte Product(byte value, int power) => value == 0 ? (byte)0 : Powers[(Logarithms[value] + power) % Order];

    private static byte[] MakePowers()
    {
        byte[] powers = new byte[Order];
        int value = 1;
        for (int i = 0; i < powers.Length; i++)
        {
            powers[i] = (byte)value;
            value = (value << 1) ^ (value > 127 ? Polynomial : 0);
        }

        return powers;
    }

    private static byte[] MakeLogarithms()
    {
        byte[] logarithms = new byte[Order + 1];
        for (int i = 0; i < Powers.Length; i++)
        {
            logarithms[Powers[i]] = (byte)i;
        }

        return logarithms;
    }
}
