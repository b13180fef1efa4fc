using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Text;

/// <summary>Collects short pieces of UTF-8 in a pooled buffer and writes them out in large ones.</summary>
/// <param name="output">Null: all is collected, in a buffer that grows.</param>
internal sealed class Utf8Output(Stream? output) : IDisposable
{
    private const int Capacity = 1 << 16;

    // Longer than any number, and than a column.
    private const int MaxNumber = 32;
    private const int HexadecimalColumn = 16;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Capacity);
    private int _length;

    /// <summary>What was not written out yet.</summary>
    public ReadOnlySpan<byte> Collected => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    // Inlined, a constant is copied in a few moves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Utf8Output Text(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > _buffer.Length - _length)
        {
            return LongText(utf8);
        }

        utf8.CopyTo(_buffer.AsSpan(_length));
        _length += utf8.Length;
        return this;
    }

    public Utf8Output Number(long value)
    {
        Utf8Formatter.TryFormat(value, Room(), out int written);
        _length += written;
        return this;
    }

    public Utf8Output Boolean(bool value) => Text(value ? "true"u8 : "false"u8);

    /// <summary>C's <c>%#-16x</c>: left-aligned, with a prefix unless it is 0.</summary>
    public Utf8Output Hexadecimal(long value)
    {
        Span<byte> column = Room();
        int written = 1;
        column[0] = (byte)'0';
        if (value != 0)
        {
            column[1] = (byte)'x';
            Utf8Formatter.TryFormat(value, column[2..], out written, new StandardFormat('x'));
            written += 2;
        }

        int padded = Math.Max(written, HexadecimalColumn);
        column[written..padded].Fill((byte)' ');
        _length += padded;
        return this;
    }

    /// <summary>Writes out what is left, also after an error: what came before it is good.</summary>
    public void Dispose()
    {
        try
        {
            Flush();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private Span<byte> Room()
    {
        if (_buffer.Length - _length < MaxNumber)
        {
            MakeRoom(MaxNumber);
        }

        return _buffer.AsSpan(_length, MaxNumber);
    }

    private Utf8Output LongText(ReadOnlySpan<byte> utf8)
    {
        Flush();
        if (output is not null && utf8.Length > Capacity)
        {
            output.Write(utf8);
            return this;
        }

        MakeRoom(utf8.Length);
        return Text(utf8);
    }

    private void MakeRoom(int length)
    {
        Flush();
        if (length > _buffer.Length - _length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _buffer.Length, _length + length));
            Collected.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }

    private void Flush()
    {
        if (output is not null && _length > 0)
        {
            // What the output could not take is not offered to it again.
            int length = _length;
            _length = 0;
            output.Write(_buffer, 0, length);
        }
    }
}
