using System.Buffers.Binary;

namespace Qcow2Stream.Nbd.Protocol;

/// <summary>What comes before an option's data in the handshake.</summary>
/// <param name="Option">What is asked for.</param>
/// <param name="Length">How long the data is, in bytes.</param>
internal readonly record struct OptionHeader(Option Option, uint Length)
{
    private const int MagicAt = 0;
    private const int OptionAt = MagicAt + sizeof(ulong);
    private const int LengthAt = OptionAt + sizeof(uint);

    /// <summary>How many bytes it has.</summary>
    public const int Size = LengthAt + sizeof(uint);

    /// <summary>False if the bytes are not one, after which nobody knows where the next would start.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out OptionHeader header)
    {
        header = new OptionHeader(
            (Option)BinaryPrimitives.ReadUInt32BigEndian(bytes[OptionAt..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[LengthAt..]));
        return BinaryPrimitives.ReadUInt64BigEndian(bytes[MagicAt..]) == Magic.IHaveOpt;
    }
}
