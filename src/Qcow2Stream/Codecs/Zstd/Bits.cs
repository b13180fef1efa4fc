using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Codecs.Zstd;

/// <summary>Bitstreams that are read backwards from their last bit: the next bit is always the highest of a word.</summary>
internal static unsafe class Bits
{
    /// <summary>So many bits are left in 8 bytes, of whose last one some were taken.</summary>
    public const int PerWord = 56;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Load(byte* from)
    {
        ulong value = Unsafe.ReadUnaligned<ulong>(from);
        return BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>The next <paramref name="count"/> bits, of which only the low six bits are looked at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Peek(ulong bits, ulong count) => bits >> 1 >> (int)~count;

    /// <summary>The bits of a stream of which <paramref name="left"/> are left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Window(byte* start, long left) =>
        Load(start - sizeof(ulong) + ((left + 7) >> 3)) << (int)(-left & 7);

    /// <summary>How many bits are in a stream, whose last byte holds a one above its last bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Length(byte* start, byte* end) => ((end - start - 1) * 8) + BitOperations.Log2(end[-1]);
}
