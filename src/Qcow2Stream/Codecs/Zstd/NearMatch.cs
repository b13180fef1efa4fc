using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Matches whose source lies less than a vector back, and so may repeat itself within the vector.</summary>
internal static unsafe class NearMatch
{
    private const int Vector = 16;

    /// <summary>For each offset, which bytes from the source on make a vector; then, how far apart such vectors are.</summary>
    public static readonly byte[] Masks = MakeMasks();

    /// <summary>Writes a match of an offset below 16; ends less than 16 bytes past it.</summary>
    /// <param name="source">16 bytes can be read there.</param>
    /// <param name="target">Where the match starts.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="offset">How far the source is back.</param>
    /// <param name="masks"><see cref="Masks"/>, pinned.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(byte* source, byte* target, byte* end, nuint offset, byte* masks)
    {
        // Vector128's way would be a call, and take the registers from the loop around, where the processor is not known.
        if (!Ssse3.IsSupported && !AdvSimd.Arm64.IsSupported)
        {
            do
            {
                *target++ = *source++;
            }
            while (target < end);
            return;
        }

        var indices = Vector128.Load(masks + (offset * Vector));
        Vector128<byte> pattern = Ssse3.IsSupported
            ? Ssse3.Shuffle(Vector128.Load(source), indices)
            : AdvSimd.Arm64.VectorTableLookup(Vector128.Load(source), indices);
        nuint step = masks[(Vector * Vector) + offset];
        do
        {
            pattern.Store(target);
            target += step;
        }
        while (target < end);
    }

    /// <summary>Writes a match of any offset, and nothing past it.</summary>
    public static void CopyExactly(byte* target, nuint offset, int length)
    {
        byte* source = target - offset;
        if (offset >= (nuint)length)
        {
            new ReadOnlySpan<byte>(source, length).CopyTo(new Span<byte>(target, length));
        }
        else if (offset == 1)
        {
            // A cluster often ends in zeros.
            new Span<byte>(target, length).Fill(*source);
        }
        else
        {
            for (int i = 0; i < length; i++)
            {
                target[i] = source[i];
            }
        }
    }

    private static byte[] MakeMasks()
    {
        byte[] masks = GC.AllocateArray<byte>((Vector * Vector) + Vector, pinned: true);
        for (int offset = 1; offset < Vector; offset++)
        {
            for (int i = 0; i < Vector; i++)
            {
                masks[(offset * Vector) + i] = (byte)(i % offset);
            }

            masks[(Vector * Vector) + offset] = (byte)(Vector / offset * offset);
        }

        return masks;
    }
}
