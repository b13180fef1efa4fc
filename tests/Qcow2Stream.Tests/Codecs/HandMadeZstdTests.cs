using static Qcow2Stream.Tests.Codecs.ZstdWriter;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>Frames that no compressor makes: the verdict is libzstd's.</summary>
public sealed class HandMadeZstdTests : IDisposable
{
    private static readonly (int, int, int) AllRle = (1, 1, 1);
    private static readonly (int, int, int) AllRepeat = (3, 3, 3);
    private static readonly byte[] Start = [1, 2, 3, 4, 5, 6, 7, 8];
    private static readonly byte[] None = [0];

    // Two weights of 1, the second one not listed: 0 and 1 are the codes of the literals 0 and 1.
    private static readonly byte[] Tree = [128, 0x10];

    private static readonly Row[] Rows =
    [
        // Headers.
        new("single segment, size of one byte", () => Header(0x20, 8).Raw(Start, isLast: true), 8, true),
        new("single segment, wrong size", () => Header(0x20, 7).Raw(Start, isLast: true), 8, false),
        new("size of two bytes", () => Header(0x60, 0, 0).Rle(7, 256, isLast: true), 256, true),
        new("size of eight bytes", () => Header(0xE0, 8, 0, 0, 0, 0, 0, 0, 0).Raw(Start, isLast: true), 8, true),
        new("size beyond anything", () => Header(0xE0, 8, 0, 0, 0, 0, 0, 0, 0x80).Raw(Start, isLast: true), 8, false),
        new("unused bit", () => Header(0x30, 8).Raw(Start, isLast: true), 8, true),
        new("reserved bit", () => Header(0x28, 8).Raw(Start, isLast: true), 8, false),
        new("dictionary 0", () => Header(0x23, 0, 0, 0, 0, 8).Raw(Start, isLast: true), 8, true),
        new("dictionary 1", () => Header(0x21, 1, 8).Raw(Start, isLast: true), 8, false),
        new("window of the limit", () => Frame(windowLog: 27).Raw(Start, isLast: true), 8, true),
        new("window over the limit", () => Frame(windowLog: 28).Raw(Start, isLast: true), 8, false),
        new("window over the limit, not needed", () => Frame(windowLog: 28, size: 8).Raw(Start, isLast: true), 8, true),
        new("window over all limits", () => Frame(windowLog: 32, size: 8).Raw(Start, isLast: true), 8, false),

        // Blocks.
        new("no block", () => Frame(), 8, false),
        new("empty blocks", () => Frame().Raw([]).Rle(1, 0).Raw(Start).Raw([], isLast: true), 8, true),
        new("no last block", () => Frame().Raw(Start), 8, false),
        new("reserved block", () => Frame().Raw(Start).Block(3, 0, [], isLast: true), 8, false),
        new("empty compressed block", () => Frame().Raw(Start).Block(2, 0, [], isLast: true), 8, true),
        new("empty compressed block, size known", () => Frame(size: 8).Raw(Start).Block(2, 0, [], isLast: true), 8, false),
        new("compressed block of one byte", () => Frame().Raw(Start).Block(2, 1, [0], isLast: true), 8, false),
        new("block larger than the window", () => Frame(windowLog: 10).Rle(7, 1025, isLast: true), 1025, false),
        new("block as large as the window", () => Frame(windowLog: 10).Rle(7, 1024, isLast: true), 1024, true),
        new("largest block", () => Frame().Rle(7, 128 << 10, isLast: true), 128 << 10, true),

        // Literals.
        new("literals alone", () => Frame().Compressed(RawLiterals(Start), None, isLast: true), 8, true),
        new("more literals than the block has", () => Frame().Compressed([9 << 3, 1], None, isLast: true), 9, false),
        new("repeated literal", () => Frame().Compressed(RleLiterals(9, 100_000), None, isLast: true), 100_000, true),
        new("too many literals", () => Frame().Compressed(RleLiterals(9, (128 << 10) + 1), None, isLast: true), (128 << 10) + 1, false),
        new("Huffman", () => Frame().Compressed(HuffmanLiterals(10, Tree, Bits("0110100101")), None, isLast: true), 10, true),
        new("Huffman, a bit too much", () => Frame().Compressed(HuffmanLiterals(10, Tree, Bits("01101001011")), None, isLast: true), 10, false),
        new("Huffman, a bit too little", () => Frame().Compressed(HuffmanLiterals(10, Tree, Bits("011010010")), None, isLast: true), 10, false),
        new("Huffman, no last bit", () => Frame().Compressed(HuffmanLiterals(10, Tree, [5, 0]), None, isLast: true), 10, false),
        new("Huffman, weights without sense", () => Frame().Compressed(HuffmanLiterals(10, [129, 0x12], Bits("0110100101")), None, isLast: true), 10, false),
        new("Huffman, only one weight of 1", () => Frame().Compressed(HuffmanLiterals(10, [128, 0x20], Bits("0110100101")), None, isLast: true), 10, false),
        new("treeless", () => Frame().Compressed(HuffmanLiterals(4, Tree, Bits("0110")), None).Raw(Start).Compressed(HuffmanLiterals(6, [], Bits("111001")), None, isLast: true), 18, true),
        new("treeless, no tree before", () => Frame().Compressed(HuffmanLiterals(6, [], Bits("111001")), None, isLast: true), 6, false),

        // Numbers of sequences.
        new("no sequences, more bytes", () => Frame().Compressed(RawLiterals(Start), [0, 0], isLast: true), 8, false),
        new("no sequences, in two bytes", () => Frame().Compressed(RawLiterals(Start), [128, 0], isLast: true), 8, true),
        new("reserved bits", () => Frame().Compressed(RawLiterals(Start), [1, 0x55, 8, 2, 0, .. Bits("01")], isLast: true), 11, false),
        new("32512 sequences", () => Frame().Raw(Start).Compressed([0], Sequences(0x7F00, AllRle, [0, 0, 0], Bits("")), isLast: true), 8 + (3 * 0x7F00), true),
        new("too many for the block", () => Frame().Raw(Start).Compressed([0], Sequences(0x7F00, AllRle, [0, 0, 3], Bits("")), isLast: true), 8 + (6 * 0x7F00), false),

        // Sequences of one code each: literals lengths, offsets, match lengths.
        new("match of offset 1", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 2, 0], Bits("00")), isLast: true), 11, true),
        new("match of offset 4, twice", () => Frame().Compressed(RawLiterals(Start), Sequences(2, AllRle, [4, 2, 7], Bits("11 11")), isLast: true), 28, true),
        new("match of all", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 3, 31], Bits("011")), isLast: true), 42, true),
        new("match of more than all", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 3, 31], Bits("100")), isLast: true), 42, false),
        new("a bit too much", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 3, 0], Bits("0110")), isLast: true), 11, false),
        new("a bit too little", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 3, 0], Bits("01")), isLast: true), 11, false),
        new("more literals than there are", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [9, 3, 0], Bits("011")), isLast: true), 12, false),
        new("largest offset code", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 31, 0], Bits(new string('1', 31))), isLast: true), 11, false),
        new("offset code 32", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 32, 0], Bits(new string('0', 32))), isLast: true), 11, false),
        new("literals length code 36", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [36, 2, 0], Bits("00")), isLast: true), 11, false),
        new("match length code 53", () => Frame().Compressed(RawLiterals(Start), Sequences(1, AllRle, [8, 2, 53], Bits("00")), isLast: true), 11, false),
        new("long lengths", () => Frame().Compressed(RleLiterals(5, 65_536), Sequences(1, AllRle, [35, 16, 51], Bits(new string('0', 14) + "11" + new string('0', 31))), isLast: true), 65_536 + 32_771, true),
        new("all extra bits", () => Frame().Compressed(RleLiterals(5, 65_536), Sequences(1, AllRle, [35, 31, 52], Bits(new string('0', 63))), isLast: true), 128 << 10, false),
        new("offset of the window", () => Frame(windowLog: 10).Rle(1, 1024).Rle(2, 1024).Compressed([0], Sequences(1, AllRle, [0, 10, 0], Bits("0000000011")), isLast: true), 2051, true),

        // Repeated offsets: 1, 4 and 8 at first.
        new("first recent offset", () => Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRle, [1, 0, 0], Bits("")), isLast: true), 12, true),
        new("second recent offset", () => Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRle, [1, 1, 0], Bits("0")), isLast: true), 12, true),
        new("third recent offset", () => Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRle, [1, 1, 0], Bits("1")), isLast: true), 12, true),
        new("without literals: second", () => Frame().Raw(Start).Compressed([0], Sequences(1, AllRle, [0, 0, 0], Bits("")), isLast: true), 11, true),
        new("without literals: third", () => Frame().Raw(Start).Compressed([0], Sequences(1, AllRle, [0, 1, 0], Bits("0")), isLast: true), 11, true),
        new("without literals: first less one, which is 0", () => Frame().Raw(Start).Compressed([0], Sequences(1, AllRle, [0, 1, 0], Bits("1")), isLast: true), 11, false),
        new("without literals: third, then first less one", () => Frame().Raw(Start).Compressed([0], Sequences(2, AllRle, [0, 1, 0], Bits("01")), isLast: true), 14, true),
        new("recent offsets in turn", () => Frame().Raw(Start).Compressed(RawLiterals(9, 10, 11, 12), Sequences(4, AllRle, [1, 1, 5], Bits("1011")), isLast: true), 44, true),
        new("recent offset before the start", () => Frame().Compressed(RawLiterals(1, 2, 3), Sequences(1, AllRle, [3, 1, 0], Bits("0")), isLast: true), 6, false),

        // Tables of the block before.
        new("repeated tables", () => Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRle, [1, 0, 0], Bits(""))).Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRepeat, [], Bits("")), isLast: true), 24, true),
        new("no tables to repeat", () => Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRepeat, [], Bits("")), isLast: true), 12, false),
        new("one table to repeat, none before", () => Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, (1, 1, 3), [1, 0], Bits("")), isLast: true), 12, false),
    ];

    private readonly ZstdReference _reference = new();

    public static TheoryData<string> Names => new(Rows.Select(row => row.Name));

    public void Dispose() => _reference.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void HandMadeFrame_GetsTheVerdict(string name)
    {
        Row row = Rows.Single(row => row.Name == name);
        Assert.Equal(row.Verdict, _reference.Check(row.Write().ToArray(), row.OutputLength, name));
    }

    /// <summary>The same, with so much before and after it that neither end of the output is near.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void HandMadeFrameAmidOthers_GetsTheVerdict(string name)
    {
        Row row = Rows.Single(row => row.Name == name);
        byte[] others = Frame().Rle(3, 500, isLast: true).ToArray();
        byte[] source = [.. others, .. row.Write().ToArray(), .. others];
        Assert.Equal(row.Verdict, _reference.Check(source, row.OutputLength + 1000, name));
    }

    [Fact]
    public void FrameThatRepeatsTablesOfTheFrameBefore_IsRefused()
    {
        byte[] first = Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRle, [1, 0, 0], Bits("")), isLast: true).ToArray();
        byte[] second = Frame().Raw(Start).Compressed(RawLiterals(9), Sequences(1, AllRepeat, [], Bits("")), isLast: true).ToArray();
        Assert.False(_reference.Check([.. first, .. second], 24, "tables"));
        byte[] tree = Frame().Compressed(HuffmanLiterals(4, Tree, Bits("0110")), None, isLast: true).ToArray();
        byte[] treeless = Frame().Compressed(HuffmanLiterals(6, [], Bits("111001")), None, isLast: true).ToArray();
        Assert.False(_reference.Check([.. tree, .. treeless], 10, "tree"));
    }

    /// <summary>The format calls these corrupt; what libzstd makes of them depends on how it happens to decode.</summary>
    [Fact]
    public void WhatLibzstdTakesOrNot_IsRefused()
    {
        string literals = string.Concat(Enumerable.Repeat("0110100101", 10));
        byte[] streams = [.. Enumerable.Repeat(Bits(literals), 4).SelectMany(stream => stream)];
        byte[] longer = [.. Enumerable.Repeat(Bits(literals), 3).SelectMany(stream => stream), .. Bits(literals + "011")];
        byte[] jumps = [13, 0, 13, 0, 13, 0];
        Assert.True(_reference.Check(FourStreams([.. Tree, .. jumps, .. streams]), 400, "four streams"));
        Assert.False(_reference.Check(FourStreams([.. Tree, .. jumps, .. longer]), 400, "bits too much", mayRefuse: true));

        byte[] offset = Frame(windowLog: 10).Rle(1, 1024).Rle(2, 1024).Compressed([0], Sequences(1, AllRle, [0, 10, 0], Bits("0000000100")), isLast: true).ToArray();
        Assert.False(_reference.Check(offset, 2051, "offset beyond the window", mayRefuse: true));

        byte[] block = Frame(windowLog: 10, size: 2048).Rle(1, 2048, isLast: true).ToArray();
        Assert.False(_reference.Check(block, 2048, "block larger than the window", mayRefuse: true));

        static byte[] FourStreams(byte[] content)
        {
            int header = 2 | (1 << 2) | (400 << 4) | (content.Length << 14);
            return Frame().Compressed([(byte)header, (byte)(header >> 8), (byte)(header >> 16), .. content], None, isLast: true).ToArray();
        }
    }

    private sealed record Row(string Name, Func<ZstdWriter> Write, int OutputLength, bool Verdict);
}
