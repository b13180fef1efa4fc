namespace Qcow2Stream.Codecs;

/// <summary>The sum at the end of a zlib stream (RFC 1950, section 8.2).</summary>
internal static class Adler32
{
    private const uint Modulus = 65521;

    // The most bytes after which neither sum has overflowed 32 bits.
    private const int MostAtOnce = 5552;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint low = 1;
        uint high = 0;
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> now = bytes[..Math.Min(bytes.Length, MostAtOnce)];
            foreach (byte b in now)
            {
                low += b;
                high += low;
            }

            low %= Modulus;
            high %= Modulus;
            bytes = bytes[now.Length..];
        }

        return (high << 16) | low;
    }
}
