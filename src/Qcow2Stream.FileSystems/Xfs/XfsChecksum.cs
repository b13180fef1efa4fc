using System.Buffers.Binary;
using System.Numerics;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>The checksum of metadata: the CRC of Castagnoli, over all bytes with those of the sum as zeros; little-endian.</summary>
internal static class XfsChecksum
{
    public static bool IsRight(ReadOnlySpan<byte> bytes, int place) => Sum(bytes, place) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[place..]);

    /// <summary>The checksum as it is written.</summary>
    public static byte[] Of(ReadOnlySpan<byte> bytes, int place)
    {
        byte[] sum = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(sum, Sum(bytes, place));
        return sum;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes, int place)
    {
        uint sum = Castagnoli.Add(uint.MaxValue, bytes[..place]);
        sum = BitOperations.Crc32C(sum, 0u);
        return ~Castagnoli.Add(sum, bytes[(place + sizeof(uint))..]);
    }
}
