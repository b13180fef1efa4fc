using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Qcow2Stream.Crypto;

/// <summary>The tweaks of a sector in XTS: each the one before, times x in GF(2^128) (IEEE 1619, section 5.2).</summary>
internal static class XtsTweaks
{
    private const int TweakLength = 16;

    /// <summary>x^128 = x^7 + x^2 + x + 1 in this field.</summary>
    private const ulong Reduction = 0x87;

    /// <summary>
    /// Fills <paramref name="tweaks"/> (a multiple of 64 bytes) with the tweaks that follow from the first one,
    /// itself included.
    /// </summary>
    public static void Fill(ReadOnlySpan<byte> first, Span<byte> tweaks)
    {
        UInt128 t0 = BinaryPrimitives.ReadUInt128LittleEndian(first);
        UInt128 t1 = TimesX(t0);
        UInt128 t2 = TimesX(t1);
        UInt128 t3 = TimesX(t2);
        var four = Vector512.Create(
            (ulong)t0, (ulong)(t0 >> 64), (ulong)t1, (ulong)(t1 >> 64), (ulong)t2, (ulong)(t2 >> 64), (ulong)t3, (ulong)(t3 >> 64));

        Span<Vector512<ulong>> fours = MemoryMarshal.Cast<byte, Vector512<ulong>>(tweaks);
        for (int i = 0; i < fours.Length; i++)
        {
            fours[i] = four;
            four = TimesX4(four);
        }

        if (!BitConverter.IsLittleEndian)
        {
            Span<ulong> halves = MemoryMarshal.Cast<byte, ulong>(tweaks[..(fours.Length * 4 * TweakLength)]);
            BinaryPrimitives.ReverseEndianness(halves, halves);
        }
    }

    private static UInt128 TimesX(UInt128 tweak) =>
        (tweak << 1) ^ (UInt128)(Reduction & (ulong)((Int128)tweak >> 127));

    /// <summary>Four tweaks, each moved on by four: x^4.</summary>
    private static Vector512<ulong> TimesX4(Vector512<ulong> tweaks)
    {
        // The four bits that leave a half enter the other one: the upper half as they are, the lower one reduced.
        Vector512<ulong> leaving = Vector512.Shuffle(tweaks >>> 60, Vector512.Create(1UL, 0, 3, 2, 5, 4, 7, 6));
        Vector512<ulong> reduced = (leaving << 1) ^ (leaving << 2) ^ (leaving << 7);
        Vector512<ulong> lower = Vector512.Create(ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0, ulong.MaxValue, 0);
        return (tweaks << 4) ^ leaving ^ (reduced & lower);
    }
}
