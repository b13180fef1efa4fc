using System.Buffers.Binary;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>Big-endian field access in place. Writes return the array, so that damage can be chained.</summary>
internal static class Mutation
{
    public static byte[] WriteU8(this byte[] image, long offset, byte value)
    {
        image[offset] = value;
        return image;
    }

    public static byte[] WriteU16(this byte[] image, long offset, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(image.AsSpan(checked((int)offset)), value);
        return image;
    }

    public static byte[] WriteU32(this byte[] image, long offset, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(checked((int)offset)), value);
        return image;
    }

    public static byte[] WriteU64(this byte[] image, long offset, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(image.AsSpan(checked((int)offset)), value);
        return image;
    }

    public static byte[] WriteBytes(this byte[] image, long offset, ReadOnlySpan<byte> value)
    {
        value.CopyTo(image.AsSpan(checked((int)offset)));
        return image;
    }

    public static byte[] Truncate(this byte[] image, long length) => image[..checked((int)length)];

    public static uint ReadU32(this byte[] image, long offset) =>
        BinaryPrimitives.ReadUInt32BigEndian(image.AsSpan(checked((int)offset)));

    public static ulong ReadU64(this byte[] image, long offset) =>
        BinaryPrimitives.ReadUInt64BigEndian(image.AsSpan(checked((int)offset)));
}
