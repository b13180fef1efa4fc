using System.Buffers.Binary;
using System.Numerics;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>The CRC of Castagnoli, CRC-32C, which file systems of Linux have for checksums and for hashes of names.</summary>
internal static class Castagnoli
{
    /// <summary>Goes on with a sum over more bytes. What it begins with, and whether it is inverted at its end, each use has its own way.</summary>
    public static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (byte value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        return sum;
    }
}
