using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Nbd.Protocol;

/// <summary>Takes an option's data apart, field by field. Each method returns false if the data is too short for it.</summary>
internal ref struct OptionData(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadUInt16(out ushort value) => BinaryPrimitives.TryReadUInt16BigEndian(_rest, out value) && Skip(sizeof(ushort));

    public bool TryReadUInt32(out uint value) => BinaryPrimitives.TryReadUInt32BigEndian(_rest, out value) && Skip(sizeof(uint));

    /// <summary>A string after its length of 32 bits. What isn't UTF-8 isn't the name of anything here either.</summary>
    public bool TryReadString(out string text)
    {
        text = "";
        if (!TryReadUInt32(out uint length) || length > _rest.Length)
        {
            return false;
        }

        text = Encoding.UTF8.GetString(_rest[..(int)length]);
        return Skip((int)length);
    }

    private bool Skip(int count)
    {
        _rest = _rest[count..];
        return true;
    }
}
