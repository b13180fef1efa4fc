using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Qcow2Stream.Images;

/// <summary>Turns the words of a table from the file's byte order into the host's, in place.</summary>
internal static class BigEndianWords
{
    private static readonly Vector128<byte> Order = Vector128.Create((byte)7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);

    /// <remarks>
    /// <see cref="BinaryPrimitives"/> has this too, but in a native binary for any processor it calls a function for
    /// each vector, which takes half of the time of a map.
    /// </remarks>
    public static void ToHostOrder(Span<ulong> words)
    {
        if (!BitConverter.IsLittleEndian)
        {
            return;
        }

        int done = 0;
        if (Avx2.IsSupported)
        {
            Vector256<byte> order = Vector256.Create(Order, Order);
            Span<Vector256<byte>> vectors = MemoryMarshal.Cast<ulong, Vector256<byte>>(words);
            foreach (ref Vector256<byte> vector in vectors)
            {
                vector = Avx2.Shuffle(vector, order);
            }

            done = vectors.Length * Vector256<ulong>.Count;
        }

        foreach (ref ulong word in words[done..])
        {
            word = BinaryPrimitives.ReverseEndianness(word);
        }
    }
}
