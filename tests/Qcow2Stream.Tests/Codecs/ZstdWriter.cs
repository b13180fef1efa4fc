namespace Qcow2Stream.Tests.Codecs;

/// <summary>Writes Zstandard frames (RFC 8878) as one likes, good or not.</summary>
internal sealed class ZstdWriter
{
    private readonly List<byte> _bytes = [0x28, 0xB5, 0x2F, 0xFD];

    /// <summary>A header with a window and, if it is given, the content's size.</summary>
    public static ZstdWriter Frame(int windowLog = 17, int? size = null) =>
        size is { } known
            ? Header(0x80, [(byte)((windowLog - 10) << 3), .. BitConverter.GetBytes(known)])
            : Header(0, (byte)((windowLog - 10) << 3));

    public static ZstdWriter Header(int descriptor, params byte[] fields)
    {
        ZstdWriter writer = new();
        writer._bytes.Add((byte)descriptor);
        writer._bytes.AddRange(fields);
        return writer;
    }

    public ZstdWriter Raw(byte[] content, bool isLast = false) => Block(0, content.Length, content, isLast);

    public ZstdWriter Rle(byte value, int count, bool isLast = false) => Block(1, count, [value], isLast);

    public ZstdWriter Compressed(byte[] literals, byte[] sequences, bool isLast = false) =>
        Block(2, literals.Length + sequences.Length, [.. literals, .. sequences], isLast);

    public ZstdWriter Block(int type, int size, byte[] content, bool isLast)
    {
        int header = (isLast ? 1 : 0) | (type << 1) | (size << 3);
        _bytes.AddRange([(byte)header, (byte)(header >> 8), (byte)(header >> 16), .. content]);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];

    /// <summary>Raw literals, fewer than 32.</summary>
    public static byte[] RawLiterals(params byte[] literals) => [(byte)(literals.Length << 3), .. literals];

    /// <summary>Literals that are all the same.</summary>
    public static byte[] RleLiterals(byte literal, int count)
    {
        int header = 1 | (3 << 2) | (count << 4);
        return [(byte)header, (byte)(header >> 8), (byte)(header >> 16), literal];
    }

    /// <summary>Huffman-coded literals, in one stream; without a tree, that of an earlier block is meant.</summary>
    public static byte[] HuffmanLiterals(int count, byte[] tree, byte[] stream)
    {
        int length = tree.Length + stream.Length;
        int header = (tree.Length > 0 ? 2 : 3) | (count << 4) | (length << 14);
        return [(byte)header, (byte)(header >> 8), (byte)(header >> 16), .. tree, .. stream];
    }

    /// <summary>Sequences whose codes have tables of the given modes.</summary>
    /// <param name="count">The number of sequences.</param>
    /// <param name="modes">Of literals lengths, offsets and match lengths: 0 predefined, 1 RLE, 2 FSE, 3 repeat.</param>
    /// <param name="tables">The descriptions of these tables.</param>
    /// <param name="stream">The bitstream.</param>
    public static byte[] Sequences(int count, (int LiteralLengths, int Offsets, int MatchLengths) modes, byte[] tables, byte[] stream)
    {
        byte[] number = count < 128 ? [(byte)count] : [255, (byte)(count - 0x7F00), (byte)((count - 0x7F00) >> 8)];
        return [.. number, (byte)((modes.LiteralLengths << 6) | (modes.Offsets << 4) | (modes.MatchLengths << 2)), .. tables, .. stream];
    }

    /// <summary>A bitstream: the first bit of the text is read first.</summary>
    public static byte[] Bits(string bits)
    {
        string all = "1" + bits.Replace(" ", "", StringComparison.Ordinal);
        all = all.PadLeft((all.Length + 7) / 8 * 8, '0');
        return [.. Enumerable.Range(1, all.Length / 8).Select(i => Convert.ToByte(all.Substring(all.Length - (8 * i), 8), 2))];
    }
}
