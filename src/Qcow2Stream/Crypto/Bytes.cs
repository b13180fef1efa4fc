using System.Numerics;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Crypto;

/// <summary>Arithmetic on runs of bytes.</summary>
internal static class Bytes
{
    /// <summary>
    /// <paramref name="result"/> = <paramref name="left"/> XOR <paramref name="right"/>, all of one length.
    /// <paramref name="result"/> may be one of the two.
    /// </summary>
    public static void Xor(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, Span<byte> result)
    {
        ReadOnlySpan<Vector<byte>> lefts = MemoryMarshal.Cast<byte, Vector<byte>>(left);
        ReadOnlySpan<Vector<byte>> rights = MemoryMarshal.Cast<byte, Vector<byte>>(right)[..lefts.Length];
        Span<Vector<byte>> results = MemoryMarshal.Cast<byte, Vector<byte>>(result)[..lefts.Length];
        for (int i = 0; i < lefts.Length; i++)
        {
            results[i] = lefts[i] ^ rights[i];
        }

        for (int i = lefts.Length * Vector<byte>.Count; i < left.Length; i++)
        {
            result[i] = (byte)(left[i] ^ right[i]);
        }
    }
}
