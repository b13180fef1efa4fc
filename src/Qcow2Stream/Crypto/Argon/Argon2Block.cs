using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Qcow2Stream.Crypto.Argon;

/// <summary>A block of Argon2's memory, and the function G that makes one of two others (RFC 9106, sections 3.5 and 3.6).</summary>
[InlineArray(Words)]
internal struct Argon2Block
{
    /// <summary>The length of a block, in bytes.</summary>
    public const int Length = 1024;

    /// <summary>Where blocks may start, in bytes: a cache line.</summary>
    public const int Alignment = 64;

    /// <summary>The 64-bit words of a block.</summary>
    public const int Words = Length / sizeof(ulong);

    // G looks at a block as at eight rows of eight registers of 16 bytes.
    private const int Side = 8;

    private ulong _first;

    /// <summary>The bytes: little-endian words, once <see cref="SwapIfBigEndian"/> has been called.</summary>
    [UnscopedRef]
    public Span<byte> Bytes => MemoryMarshal.AsBytes((Span<ulong>)this);

    /// <summary>Between the byte order of the algorithm and the processor's.</summary>
    public void SwapIfBigEndian()
    {
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness((ReadOnlySpan<ulong>)this, this);
        }
    }

    /// <summary>This block XOR <paramref name="other"/>, into this one.</summary>
    public void Combine(in Argon2Block other)
    {
        for (int i = 0; i < Words; i++)
        {
            this[i] ^= other[i];
        }
    }

    /// <summary>G(<paramref name="left"/>, <paramref name="right"/>).</summary>
    /// <param name="left">One block.</param>
    /// <param name="right">Another.</param>
    /// <param name="target">Receives the result; it may be one of the two.</param>
    /// <param name="combine">Whether what is in <paramref name="target"/> is combined with the result, as in all passes but the first.</param>
    [SkipLocalsInit]
    public static unsafe void Mix(Argon2Block* left, Argon2Block* right, Argon2Block* target, bool combine)
    {
        const int Registers = Side * Side;
        var lefts = (Vector128<ulong>*)left;
        var rights = (Vector128<ulong>*)right;
        var targets = (Vector128<ulong>*)target;
        Vector128<ulong>* state = stackalloc Vector128<ulong>[Registers];
        Vector128<ulong>* kept = stackalloc Vector128<ulong>[Registers];
        for (int i = 0; i < Registers; i++)
        {
            state[i] = lefts[i] ^ rights[i];
            kept[i] = combine ? state[i] ^ targets[i] : state[i];
        }

        for (int row = 0; row < Side; row++)
        {
            Permute(state + (row * Side), 1);
        }

        for (int column = 0; column < Side; column++)
        {
            Permute(state + column, Side);
        }

        for (int i = 0; i < Registers; i++)
        {
            targets[i] = state[i] ^ kept[i];
        }
    }

    /// <summary>P on eight registers, <paramref name="step"/> apart: BLAKE2b's round on columns, then on diagonals, two words at a time.</summary>
    private static unsafe void Permute(Vector128<ulong>* registers, int step)
    {
        Vector128<ulong> a0 = registers[0], a1 = registers[step];
        Vector128<ulong> b0 = registers[2 * step], b1 = registers[3 * step];
        Vector128<ulong> c0 = registers[4 * step], c1 = registers[5 * step];
        Vector128<ulong> d0 = registers[6 * step], d1 = registers[7 * step];

        Quarter(ref a0, ref b0, ref c0, ref d0);
        Quarter(ref a1, ref b1, ref c1, ref d1);

        (b0, b1) = (UpperThenLower(b0, b1), UpperThenLower(b1, b0));
        (c0, c1) = (c1, c0);
        (d0, d1) = (UpperThenLower(d1, d0), UpperThenLower(d0, d1));

        Quarter(ref a0, ref b0, ref c0, ref d0);
        Quarter(ref a1, ref b1, ref c1, ref d1);

        (b0, b1) = (UpperThenLower(b1, b0), UpperThenLower(b0, b1));
        (c0, c1) = (c1, c0);
        (d0, d1) = (UpperThenLower(d0, d1), UpperThenLower(d1, d0));

        registers[0] = a0;
        registers[step] = a1;
        registers[2 * step] = b0;
        registers[3 * step] = b1;
        registers[4 * step] = c0;
        registers[5 * step] = c1;
        registers[6 * step] = d0;
        registers[7 * step] = d1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(ref Vector128<ulong> a, ref Vector128<ulong> b, ref Vector128<ulong> c, ref Vector128<ulong> d)
    {
        a = Add(a, b);
        d = Rotated32(d ^ a);
        c = Add(c, d);
        b = Rotated24(b ^ c);
        a = Add(a, b);
        d = Rotated16(d ^ a);
        c = Add(c, d);
        b = Rotated63(b ^ c);
    }

    /// <summary>x + y + 2 · (the lower half of x) · (the lower half of y).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Add(Vector128<ulong> x, Vector128<ulong> y)
    {
        Vector128<ulong> product = LowerHalvesProduct(x, y);
        return x + y + product + product;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> LowerHalvesProduct(Vector128<ulong> x, Vector128<ulong> y)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.Multiply(x.AsUInt32(), y.AsUInt32());
        }

        if (AdvSimd.IsSupported)
        {
            return AdvSimd.MultiplyWideningLower(AdvSimd.ExtractNarrowingLower(x), AdvSimd.ExtractNarrowingLower(y));
        }

        Vector128<ulong> lower = Vector128.Create((ulong)uint.MaxValue);
        return (x & lower) * (y & lower);
    }

    /// <summary>The upper word of <paramref name="x"/>, and after it the lower one of <paramref name="y"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> UpperThenLower(Vector128<ulong> x, Vector128<ulong> y)
    {
        if (Sse2.IsSupported)
        {
            return Sse2.Shuffle(x.AsDouble(), y.AsDouble(), 0b01).AsUInt64();
        }

        return AdvSimd.IsSupported ? AdvSimd.ExtractVector128(x, y, 1) : Vector128.Create(x[1], y[0]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Rotated32(Vector128<ulong> x) => Vector128.Shuffle(x.AsUInt32(), Vector128.Create(1u, 0, 3, 2)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Rotated24(Vector128<ulong> x) => Vector128.Shuffle(
        x.AsByte(), Vector128.Create((byte)3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Rotated16(Vector128<ulong> x) => Vector128.Shuffle(
        x.AsByte(), Vector128.Create((byte)2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Rotated63(Vector128<ulong> x) => (x + x) ^ (x >>> 63);
}
