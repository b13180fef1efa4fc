using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>Takes an option's data apart, field by field. Each method says false where the data is too short for it.</summary>
internal ref struct OptionData(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public bool TryReadUInt16(out ushort value) => BinaryPrimitives.TryReadUInt16BigEndian(_rest, out value) && Skip(sizeof(ushort));

    public bool TryReadUInt32(out uint value) => BinaryPrimitives.TryReadUInt32BigEndian(_rest, out value) && Skip(sizeof(uint));

    /// <summary>A string behind its length of 32 bits. What is no UTF-8 is no name of anything here either.</summary>
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
