using System.Buffers.Binary;
using System.Numerics;

namespace Qcow2Stream.Tests.Layers;

/// <summary>Fields of images in other formats, changed so that the checksums over them still hold.</summary>
internal static class ForeignFields
{
    /// <summary>Where QEMU puts the dynamic header of a VHD.</summary>
    public const int VhdHeader = 512;

    public const int VhdxRegionTable = 192 << 10;

    public static byte[] Little(this byte[] bytes, int at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
        return bytes;
    }

    public static byte[] Little(this byte[] bytes, int at, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
        return bytes;
    }

    public static byte[] Big(this byte[] bytes, int at, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), value);
        return bytes;
    }

    public static byte[] Big(this byte[] bytes, int at, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(at), value);
        return bytes;
    }

    /// <summary>The checksum of a VHD's dynamic header.</summary>
    public static byte[] WithVhdHeaderSum(this byte[] bytes) => bytes.WithVhdSum(VhdHeader, 1024, VhdHeader + 36);

    /// <summary>The checksum of a structure of a VHD: the sum of its bytes, inverted.</summary>
    public static byte[] WithVhdSum(this byte[] bytes, int start, int length, int at)
    {
        bytes.Big(at, 0u);
        uint sum = 0;
        foreach (byte b in bytes.AsSpan(start, length))
        {
            sum += b;
        }

        return bytes.Big(at, ~sum);
    }

    /// <summary>The checksum of a structure of a VHDX: CRC-32C, in its second word.</summary>
    public static byte[] WithVhdxSum(this byte[] bytes, int at, int length)
    {
        bytes.Little(at + 4, 0u);
        uint sum = uint.MaxValue;
        foreach (byte b in bytes.AsSpan(at, length))
        {
            sum = BitOperations.Crc32C(sum, b);
        }

        return bytes.Little(at + 4, ~sum);
    }

    /// <summary>Where a VHDX has its metadata.</summary>
    public static int VhdxMetadata(this byte[] bytes) =>
        (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(bytes.VhdxEntry(VhdxRegionTable, "8b7ca206-4790-4b9a-b8fe-575f050f886e") + 16));

    /// <summary>Where a VHDX' table has the entry of a region or a metadata item.</summary>
    public static int VhdxEntry(this byte[] bytes, int tableOffset, string id) =>
        tableOffset + bytes.AsSpan(tableOffset, 64 << 10).IndexOf(new Guid(id).ToByteArray());
}
