using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Qcow2Stream.Crypto;

/// <summary>The tweaks of a sector in XTS: each the one before, times x in GF(2^128) (IEEE 1619, section 5.2).</summary>
internal static class XtsTweaks
{
    /// <summary>x^128 = x^7 + x^2 + x + 1 in this field.</summary>
    private const ulong Reduction = 0x87;

    /// <summary>
    /// Fills <paramref name="tweaks"/> (a multiple of 64 bytes) with the tweaks that follow from the first one,
    /// itself included.
    /// </summary>
    public static void Fill(ReadOnlySpan<byte> first, Span<byte> tweaks)
    {
        var t0 = BinaryPrimitives.ReadUInt128LittleEndian(first);
        UInt128 t1 = TimesX(t0);
        UInt128 t2 = TimesX(t1);
        Vector128<ulong> v0 = Halves(t0);
        Vector128<ulong> v1 = Halves(t1);
        Vector128<ulong> v2 = Halves(t2);
        Vector128<ulong> v3 = Halves(TimesX(t2));

        // Four chains side by side, as a step must wait for the one before it. Not one Vector512: code compiled
        // ahead of time for any processor has no instructions for it.
        Span<Vector128<ulong>> vectors = MemoryMarshal.Cast<byte, Vector128<ulong>>(tweaks);
        for (; vectors.Length >= 4; vectors = vectors[4..])
        {
            vectors[0] = v0;
            vectors[1] = v1;
            vectors[2] = v2;
            vectors[3] = v3;
            v0 = TimesX4(v0);
            v1 = TimesX4(v1);
            v2 = TimesX4(v2);
            v3 = TimesX4(v3);
        }

        if (!BitConverter.IsLittleEndian)
        {
            Span<ulong> halves = MemoryMarshal.Cast<byte, ulong>(tweaks);
            BinaryPrimitives.ReverseEndianness(halves, halves);
        }
    }

    private static UInt128 TimesX(UInt128 tweak) =>
        (tweak << 1) ^ (UInt128)(Reduction & (ulong)((Int128)tweak >> 127));

    private static Vector128<ulong> Halves(UInt128 tweak) => Vector128.Create((ulong)tweak, (ulong)(tweak >> 64));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> TimesX4(Vector128<ulong> tweak)
    {
        // The four bits that leave a half enter the other one: the upper half as they are, the lower one reduced.
        Vector128<ulong> leaving = Vector128.Shuffle(tweak >>> 60, Vector128.Create(1UL, 0));
        Vector128<ulong> reduced = (leaving << 1) ^ (leaving << 2) ^ (leaving << 7);
        return (tweak << 4) ^ leaving ^ (reduced & Vector128.Create(ulong.MaxValue, 0));
    }
}
