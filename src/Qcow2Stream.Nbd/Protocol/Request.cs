using System.Buffers.Binary;

namespace Qcow2Stream.Nbd.Protocol;

/// <summary>A request of the transmission phase.</summary>
/// <param name="Flags">How it is to be done.</param>
/// <param name="Command">What is asked for.</param>
/// <param name="Cookie">The client's own mark, which the reply repeats.</param>
/// <param name="Offset">Where in the disk, in bytes.</param>
/// <param name="Length">How much of it, in bytes.</param>
internal readonly record struct Request(CommandFlags Flags, Command Command, ulong Cookie, ulong Offset, uint Length)
{
    private const int MagicAt = 0;
    private const int FlagsAt = MagicAt + sizeof(uint);
    private const int CommandAt = FlagsAt + sizeof(ushort);
    private const int CookieAt = CommandAt + sizeof(ushort);
    private const int OffsetAt = CookieAt + sizeof(ulong);
    private const int LengthAt = OffsetAt + sizeof(ulong);

    /// <summary>How many bytes a request has, without the payload of a write.</summary>
    public const int Size = LengthAt + sizeof(uint);

    /// <summary>Whether it lies inside a disk of <paramref name="diskLength"/> bytes, and asks for something.</summary>
    public bool IsInside(long diskLength) => Length > 0 && Offset <= (ulong)diskLength && Length <= (ulong)diskLength - Offset;

    /// <summary>False if the bytes are not one, after which nobody knows where the next would start.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Request request)
    {
        request = new Request(
            (CommandFlags)BinaryPrimitives.ReadUInt16BigEndian(bytes[FlagsAt..]),
            (Command)BinaryPrimitives.ReadUInt16BigEndian(bytes[CommandAt..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[CookieAt..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[OffsetAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[LengthAt..]));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes[MagicAt..]) == Magic.Request;
    }
}
