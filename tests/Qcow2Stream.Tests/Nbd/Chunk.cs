using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>A chunk of a structured reply.</summary>
internal sealed record Chunk(bool IsLast, ushort Type, ulong Cookie, byte[] Payload)
{
    public uint Error => BinaryPrimitives.ReadUInt32BigEndian(Payload);

    public string Message => Encoding.UTF8.GetString(Payload.AsSpan(6, BinaryPrimitives.ReadUInt16BigEndian(Payload.AsSpan(4))));

    /// <summary>Of data, a hole, or an error with a place.</summary>
    public ulong Offset => BinaryPrimitives.ReadUInt64BigEndian(Type == RawClient.ErrorOffset ? Payload.AsSpan(^8..) : Payload);

    public byte[] Data => Payload[8..];

    public uint HoleLength => BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(8));

    /// <summary>Of a block status: its context's id, and length and status of each extent.</summary>
    public (uint Context, List<(uint Length, uint Status)> Extents) Status => (
        BinaryPrimitives.ReadUInt32BigEndian(Payload),
        [.. Payload.Skip(4).Chunk(8).Select(e => (BinaryPrimitives.ReadUInt32BigEndian(e), BinaryPrimitives.ReadUInt32BigEndian(e.AsSpan(4))))]);
}
