using System.Buffers.Binary;
using Qcow2Stream.Codecs.Deflate;

namespace Qcow2Stream.Codecs;

/// <summary>Decompresses zlib streams (RFC 1950): a deflate stream between a header and the sum of what it yields.</summary>
internal static class ZlibDecoder
{
    private const int HeaderLength = 2;
    private const int SumLength = 4;
    private const int MethodMask = 0x0F;
    private const int Deflate = 8;
    private const int LargestWindow = 7;
    private const int HasDictionary = 0x20;
    private const int HeaderMultiple = 31;

    /// <summary>Decompresses a whole stream; what follows it in <paramref name="source"/> is ignored.</summary>
    /// <param name="source">The stream.</param>
    /// <param name="target">Room for what it yields; not empty.</param>
    /// <param name="written">How many bytes it yields.</param>
    /// <returns>
    /// False if the data is broken, ends early, doesn't have its sum, or yields more than there is room for; the content of
    /// <paramref name="target"/> is then undefined.
    /// </returns>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> target, out int written)
    {
        written = 0;
        if (source.Length < HeaderLength || !IsHeader(source[0], source[1])
            || !DeflateDecoder.TryDecodeAll(source[HeaderLength..], target, out int consumed, out written))
        {
            return false;
        }

        ReadOnlySpan<byte> sum = source[(HeaderLength + consumed)..];
        return sum.Length >= SumLength && BinaryPrimitives.ReadUInt32BigEndian(sum) == Adler32.Of(target[..written]);
    }

    private static bool IsHeader(byte method, byte flags) =>
        (method & MethodMask) == Deflate && method >> 4 <= LargestWindow && (flags & HasDictionary) == 0 && ((method << 8) | flags) % HeaderMultiple == 0;
}
