using System.Buffers.Binary;
using System.Numerics;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>The checksum of metadata: the CRC of Castagnoli, over all bytes with those of the sum as zeros; little-endian.</summary>
internal static class XfsChecksum
{
    public static bool IsRight(ReadOnlySpan<byte> bytes, int place)
    {
        uint sum = Add(uint.MaxValue, bytes[..place]);
        sum = BitOperations.Crc32C(sum, 0u);
        return ~Add(sum, bytes[(place + sizeof(uint))..]) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[place..]);
    }

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
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
