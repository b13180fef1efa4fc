using System.Text;

namespace Qcow2Stream.Nbd.Protocol;

/// <summary>The format of the transmission phase's replies.</summary>
internal static class Replies
{
    public const int SimpleSize = (2 * sizeof(uint)) + sizeof(ulong);
    public const int DataHeaderSize = ChunkHeaderSize + sizeof(ulong);
    public const int HoleSize = ChunkHeaderSize + sizeof(ulong) + sizeof(uint);
    public const int StatusHeaderSize = ChunkHeaderSize + sizeof(uint);
    public const int ExtentSize = 2 * sizeof(uint);

    /// <summary>Every error takes less.</summary>
    public const int MaxErrorSize = ChunkHeaderSize + sizeof(uint) + sizeof(ushort) + ProtocolLimits.MaxString + sizeof(ulong);

    private const int ChunkHeaderSize = sizeof(uint) + (2 * sizeof(ushort)) + sizeof(ulong) + sizeof(uint);

    // UTF-8 takes no more bytes for one.
    private const int MaxMessageChars = ProtocolLimits.MaxString / 3;

    public static void Simple(this OutputBuffer output, in Request request, ErrorCode error) =>
        output.UInt32(Magic.SimpleReply).UInt32((uint)error).UInt64(request.Cookie);

    /// <summary>The head of a chunk of data, which is to follow.</summary>
    public static void DataHeader(this OutputBuffer output, in Request request, ChunkFlags flags, long offset, int length) =>
        output.Chunk(request, flags, ChunkType.OffsetData, sizeof(ulong) + length).UInt64((ulong)offset);

    public static void Hole(this OutputBuffer output, in Request request, ChunkFlags flags, long offset, long length) =>
        output.Chunk(request, flags, ChunkType.OffsetHole, sizeof(ulong) + sizeof(uint)).UInt64((ulong)offset).UInt32((uint)length);

    public static void Status(
        this OutputBuffer output, in Request request, ChunkFlags flags, uint context, IReadOnlyList<StatusExtent> extents)
    {
        output.Chunk(request, flags, ChunkType.BlockStatus, sizeof(uint) + (extents.Count * ExtentSize)).UInt32(context);
        foreach (StatusExtent extent in extents)
        {
            output.UInt32((uint)extent.Length).UInt32(extent.Status);
        }
    }

    /// <summary>The last chunk of a request that fails.</summary>
    /// <param name="output">Where it is written.</param>
    /// <param name="request">What fails.</param>
    /// <param name="error">The number.</param>
    /// <param name="message">The reason, for people.</param>
    /// <param name="offset">The place in the disk, inside the request's range, if the error has one.</param>
    public static void Failure(this OutputBuffer output, in Request request, ErrorCode error, string message, long? offset)
    {
        byte[] text = Encoding.UTF8.GetBytes(message.Length > MaxMessageChars ? message[..MaxMessageChars] : message);
        int length = sizeof(uint) + sizeof(ushort) + text.Length + (offset is null ? 0 : sizeof(ulong));
        output.Chunk(request, ChunkFlags.Done, offset is null ? ChunkType.Error : ChunkType.ErrorOffset, length)
            .UInt32((uint)error).UInt16((ushort)text.Length).Bytes(text);
        if (offset is { } place)
        {
            output.UInt64((ulong)place);
        }
    }

    private static OutputBuffer Chunk(this OutputBuffer output, in Request request, ChunkFlags flags, ChunkType type, int length) =>
        output.UInt32(Magic.StructuredReply).UInt16((ushort)flags).UInt16((ushort)type).UInt64(request.Cookie).UInt32((uint)length);
}
