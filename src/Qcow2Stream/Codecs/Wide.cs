using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Qcow2Stream.Codecs;

/// <summary>The copies of the decompressors: whole vectors, whatever comes after the bytes needed.</summary>
internal static unsafe class Wide
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy16(byte* source, byte* target) =>
        Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<Vector128<byte>>(source));

    /// <summary>16 bytes, and the 16 after them, which may be among those that the first 16 made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy32(byte* source, byte* target)
    {
        Copy16(source, target);
        Copy16(source + 16, target + 16);
    }
}
