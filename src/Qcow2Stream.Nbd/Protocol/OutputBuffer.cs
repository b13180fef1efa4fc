using System.Buffers;
using System.Buffers.Binary;

namespace Qcow2Stream.Nbd.Protocol;

/// <summary>What is to be sent, put together so that one system call sends it. Its memory is borrowed until it is disposed.</summary>
internal sealed class OutputBuffer(int capacity) : IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>How many bytes it holds.</summary>
    public int Length { get; private set; }

    public int Free => capacity - Length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public OutputBuffer UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Append(sizeof(ushort)), value);
        return this;
    }

    public OutputBuffer UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Append(sizeof(uint)), value);
        return this;
    }

    public OutputBuffer UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Append(sizeof(ulong)), value);
        return this;
    }

    public OutputBuffer Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Append(bytes.Length));
        return this;
    }

    public OutputBuffer Zeroes(int count)
    {
        Append(count).Clear();
        return this;
    }

    /// <summary>Room for so many bytes, which hold anything until they are written.</summary>
    public Span<byte> Append(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Free);
        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }

    /// <summary>Takes away what came after the first <paramref name="length"/> bytes.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
    }

    public void Dispose()
    {
        byte[] bytes = _bytes;
        _bytes = [];
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
