using System.Numerics;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Benchmarks.Images;

/// <summary>xoshiro256**: the same numbers from the same seed under every runtime, and fast enough for gigabytes.</summary>
internal sealed class SeededRandom
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    public SeededRandom(ulong seed)
    {
        _s0 = Spread(ref seed);
        _s1 = Spread(ref seed);
        _s2 = Spread(ref seed);
        _s3 = Spread(ref seed);
    }

    /// <summary>A number from 0 up to, not including, <paramref name="limit"/>.</summary>
    public long Next(long limit) => (long)Math.BigMul(NextBits(), (ulong)limit, out _);

    public int Next(int limit) => (int)Next((long)limit);

    /// <summary>A number from <paramref name="start"/> up to, not including, <paramref name="limit"/>.</summary>
    public int Next(int start, int limit) => start + Next(limit - start);

    /// <summary>A number from 0 up to, not including, 1.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    public void Fill(Span<byte> target)
    {
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(target);
        for (int index = 0; index < words.Length; index++)
        {
            words[index] = NextBits();
        }

        foreach (ref byte value in target[(words.Length * sizeof(ulong))..])
        {
            value = (byte)NextBits();
        }
    }

    private static ulong Spread(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        ulong mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    private ulong NextBits()
    {
        ulong result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        ulong shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }
}
