using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Benchmarks.Images;

/// <summary>
/// What a disk full of programs and documents looks like to a compressor: one after another, files of 4 KiB to 1 MiB
/// that hold text, machine code, tables or what is compressed already. Deflate makes less than half of it.
/// </summary>
internal sealed class FileLikeContent(ulong seed)
{
    private const int BlockSize = 4096;
    private const int LargestFile = 1 << 20;

    // qcow2's deflate looks 4 KiB back at most.
    private const int MostBack = 3000;
    private const int LongestStretch = 128;

    private readonly SeededRandom _random = new(seed);
    private readonly byte[][] _words = Words(new SeededRandom(seed + 1), 6000);
    private readonly byte[][] _instructions = Instructions(new SeededRandom(seed + 2), 900);

    public void WriteTo(string path, long length)
    {
        using FileStream target = File.Create(path, bufferSize: 1 << 20);
        byte[] file = new byte[LargestFile];
        while (length > 0)
        {
            int size = (int)(BlockSize * Math.Pow(LargestFile / BlockSize, _random.NextDouble()));
            int blocks = (size + BlockSize - 1) / BlockSize * BlockSize;
            Fill(file.AsSpan(0, size));
            file.AsSpan(size..blocks).Clear();
            int written = (int)Math.Min(blocks, length);
            target.Write(file, 0, written);
            length -= written;
        }
    }

    private void Fill(Span<byte> file)
    {
        switch (_random.Next(100))
        {
            case < 40:
                FillFrom(file, _words, separator: (byte)' ');
                break;
            case < 78:
                FillFrom(file, _instructions, separator: null);
                break;
            case < 92:
                FillTable(file);
                break;
            default:
                _random.Fill(file);
                break;
        }
    }

    // The cube makes some pieces frequent and most of them rare. Now and then a longer stretch comes again.
    private void FillFrom(Span<byte> file, byte[][] pieces, byte? separator)
    {
        int filled = 0;
        while (filled < file.Length)
        {
            Span<byte> rest = file[filled..];
            double rank = _random.NextDouble();
            ReadOnlySpan<byte> piece = filled > MostBack && _random.Next(40) == 0
                ? file.Slice(filled - _random.Next(LongestStretch, MostBack), _random.Next(8, LongestStretch))
                : pieces[(int)(rank * rank * rank * pieces.Length)];
            Span<byte> after = Append(rest, piece);
            if (separator is { } space)
            {
                after = Append(after, [_random.Next(11) == 0 ? (byte)'\n' : space]);
            }
            else if (_random.Next(2) == 0)
            {
                after = Append(after, [(byte)_random.Next(_random.Next(256) + 1)]);
            }

            filled = file.Length - after.Length;
        }
    }

    private void FillTable(Span<byte> file)
    {
        Span<byte> record = stackalloc byte[24];
        record.Clear();
        uint key = (uint)_random.Next(1 << 20);
        while (!file.IsEmpty)
        {
            key += (uint)_random.Next(1, 64);
            BinaryPrimitives.WriteUInt32LittleEndian(record, key);
            BinaryPrimitives.WriteUInt16LittleEndian(record[8..], (ushort)_random.Next(1 << 12));
            record[12] = (byte)_random.Next(4);
            BinaryPrimitives.WriteUInt16LittleEndian(record[16..], (ushort)_random.Next(1 << 16));
            file = Append(file, record);
        }
    }

    private static Span<byte> Append(Span<byte> file, scoped ReadOnlySpan<byte> piece)
    {
        int length = Math.Min(piece.Length, file.Length);
        piece[..length].CopyTo(file);
        return file[length..];
    }

    private static byte[][] Words(SeededRandom random, int count)
    {
        string[] syllables = ["an", "be", "con", "de", "er", "for", "ing", "la", "men", "no", "per", "qu", "re", "st", "ti", "un", "ver", "y"];
        return [.. Enumerable.Range(0, count).Select(_ =>
            Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1 + random.Next(4)).Select(_ => syllables[random.Next(syllables.Length)]))))];
    }

    private static byte[][] Instructions(SeededRandom random, int count)
    {
        byte[] opcodes = [0x48, 0x89, 0x8B, 0x0F, 0xE8, 0x83, 0xC3, 0x74, 0x75, 0xEB, 0x85, 0x31, 0x5D, 0x41, 0x4C, 0x66];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            byte[] instruction = new byte[1 + random.Next(6)];
            random.Fill(instruction);
            instruction[0] = opcodes[random.Next(opcodes.Length)];
            return instruction;
        })];
    }
}
