using System.IO.Compression;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>Data that is broken, cut, or only looks so: the verdict is zlib's.</summary>
public class BrokenDeflateTests
{
    private static readonly Row[] Rows =
    [
        // Blocks.
        new("no input", _ => { }, 1, false),
        new("no input for no output", _ => { }, 0, true),
        new("block type 3", w => w.Block(3).Rubbish(1, 2, 3), 1, false),
        new("stored: the length's complement is wrong", w => w.Stored([1, 2, 3], complement: 5), 1, false),
        new("stored: cut in its head", w => w.Block(0).Rubbish(3, 0, 0xFC), 1, false),
        new("stored: cut in its content", w => w.Block(0).Rubbish(3, 0, 0xFC, 0xFF, 7, 8), 3, false),
        new("stored: cut behind the output", w => w.Block(0).Rubbish(3, 0, 0xFC, 0xFF, 7, 8), 2, true),
        new("stored: empty, then content", w => w.Stored([], isLast: false).Stored([1]), 1, true),
        new("the last block is not enough", w => w.Stored([1], isLast: false).Block(1).Fixed(2).FixedEnd(), 3, false),

        // The fixed code.
        new("fixed: symbol 286", w => w.Block(1).Fixed(1).Fixed(286).Rubbish(0, 0, 0), 3, false),
        new("fixed: symbol 287", w => w.Block(1).Fixed(1).Fixed(287).Rubbish(0, 0, 0), 3, false),
        new("fixed: distance symbol 30", w => w.Block(1).Fixed(1).Fixed(257).Code(30, 5).Rubbish(0, 0, 0), 4, false),
        new("fixed: distance symbol 31", w => w.Block(1).Fixed(1).Fixed(257).Code(31, 5).Rubbish(0, 0, 0), 4, false),
        new("fixed: match with nothing before", w => w.Block(1).FixedMatch(3, 1).FixedEnd(), 3, false),
        new("fixed: distance one too far", w => w.Block(1).Fixed(1).Fixed(2).FixedMatch(3, 3).FixedEnd(), 5, false),
        new("fixed: distance just in reach", w => w.Block(1).Fixed(1).Fixed(2).FixedMatch(3, 2).FixedEnd(), 5, true),

        // The head of a dynamic block.
        new("dynamic: 287 literal/length codes", w => w.DynamicCounts(287, 1, 19).Rubbish(new byte[80]), 1, false),
        new("dynamic: 288 literal/length codes", w => w.DynamicCounts(288, 1, 19).Rubbish(new byte[80]), 1, false),
        new("dynamic: 31 distance codes", w => w.DynamicCounts(257, 31, 19).Rubbish(new byte[80]), 1, false),
        new("dynamic: no code length code", w => w.DynamicCounts(257, 1, 4).Bits(0, 12).Rubbish(new byte[80]), 1, false),
        new("dynamic: one code length code", w => w.DynamicCounts(257, 1, 4).Bits(1, 12).Rubbish(new byte[80]), 1, false),
        new("dynamic: too many code length codes of one bit", w => w.DynamicCounts(257, 1, 4).Bits(0b001_001_001, 12).Rubbish(new byte[80]), 1, false),
        new("dynamic: incomplete code length code", w => w.DynamicCounts(257, 1, 4).Bits(0b010_010_010, 12).Rubbish(new byte[80]), 1, false),
        new("dynamic: repetition of nothing", w => w.DynamicCounts(257, 1, 4).Bits(0b001_000_000_001, 12).Code(1, 1).Rubbish(new byte[80]), 1, false),
        new("dynamic: repetition behind the end", w => w.DynamicCounts(257, 1, 4).Bits(0b001_001_000_000, 12).Code(1, 1).Bits(127, 7).Code(1, 1).Bits(127, 7).Rubbish(0, 0), 1, false),
        new("dynamic: cut in its counts", w => w.Block(2).Bits(0, 5), 1, false),
        new("dynamic: cut in its code length code", w => w.DynamicCounts(257, 1, 19).Bits(0, 9), 1, false),
        new("dynamic: cut in its lengths", w => w.DynamicCounts(257, 1, 4).Bits(0b001_001_000_000, 12).Code(0, 1), 1, false),

        // The literal/length code.
        new("no end of block", w => w.Dynamic(Lengths((0, 1), (1, 1)), [0]).Rubbish(new byte[8]), 1, false),
        new("literal/length code with too many codes", w => w.Dynamic(Lengths((0, 1), (1, 1), (256, 1)), [0]).Rubbish(new byte[8]), 1, false),
        new("literal/length code with unused codes", w => w.Dynamic(Lengths((0, 1), (256, 2)), [0]).Rubbish(new byte[8]), 1, false),
        new("literal/length code of two bits alone", w => w.Dynamic(Lengths((256, 2)), [0]).Rubbish(new byte[8]), 1, false),
        new("only the end of the block", w => w.Dynamic(Lengths((256, 1)), [0], isLast: false).Code(0, 1).Stored([9]), 1, true),
        new("only the end of the block, other bit", w => w.Dynamic(Lengths((256, 1)), [0]).Code(1, 1).Rubbish(new byte[8]), 1, false),
        new("codes of 15 bits", w => w.Dynamic(Chain(), [0]).Code(0x7FFE, 15).Code(0, 1).Code(0x7FFF, 15), 2, true),

        // The distance code.
        new("no distance code, none needed", w => w.Dynamic(Lengths((7, 1), (256, 1)), [0]).Code(0, 1).Code(1, 1), 1, true),
        new("no distance code, but a match", w => w.Dynamic(Lengths((7, 1), (256, 2), (257, 2)), [0]).Code(0, 1).Code(3, 2).Rubbish(0, 0), 4, false),
        new("one distance code", w => w.Dynamic(Lengths((7, 1), (256, 2), (257, 2)), [1]).Code(0, 1).Code(3, 2).Code(0, 1).Code(2, 2), 4, true),
        new("one distance code, other bit", w => w.Dynamic(Lengths((7, 1), (256, 2), (257, 2)), [1]).Code(0, 1).Code(3, 2).Code(1, 1).Rubbish(0), 4, false),
        new("one distance code of two bits", w => w.Dynamic(Lengths((7, 1), (256, 2), (257, 2)), [2]).Code(0, 1).Rubbish(0), 1, false),
        new("distance code with too many codes", w => w.Dynamic(Lengths((7, 1), (256, 1)), [1, 1, 1]).Rubbish(0), 1, false),
        new("distance code with unused codes", w => w.Dynamic(Lengths((7, 1), (256, 1)), [1, 2]).Rubbish(0), 1, false),

        // What follows once the output is full: looked at up to the next byte that it would add.
        new("full: rubbish behind the last block", w => w.Block(1).Fixed(1).FixedEnd().Rubbish(255, 255, 255), 1, true),
        new("full: a literal without room, then rubbish", w => w.Block(1).Fixed(1).Fixed(2).Fixed(286), 1, true),
        new("full: a symbol that means nothing", w => w.Block(1).Fixed(1).Fixed(286), 1, false),
        new("full: within a match, then rubbish", w => w.Block(1).Fixed(1).FixedMatch(9, 1).Fixed(286), 4, true),
        new("full: a match without room, too far back", w => w.Block(1).Fixed(1).FixedMatch(3, 9), 1, true),
        new("full: a match without room and meaning", w => w.Block(1).Fixed(1).Fixed(257).Code(30, 5), 1, false),
        new("full: a block of type 3", w => w.Stored([1], isLast: false).Block(3), 1, false),
        new("full: a broken stored block", w => w.Stored([1], isLast: false).Stored([2], complement: 9), 1, false),
        new("full: a stored block without room", w => w.Stored([1], isLast: false).Stored([2], isLast: false).Block(3), 1, true),
        new("full: a cut head", w => w.Stored([1], isLast: false).Block(2), 1, true),
        new("full: a broken dynamic block", w => w.Stored([1], isLast: false).DynamicCounts(288, 1, 4), 1, false),
    ];

    public static TheoryData<string> Names => new(Rows.Select(row => row.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void HandMadeStream_GetsTheVerdict(string name)
    {
        Row row = Rows.Single(row => row.Name == name);
        DeflateWriter writer = new();
        row.Write(writer);
        Assert.Equal(row.Verdict, DeflateReference.Check(writer.ToArray(), row.OutputLength, name));
    }

    /// <summary>The same, with so much before and after it that neither end is near.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void HandMadeStreamAmidMuchElse_GetsDeflateStreamsVerdict(string name)
    {
        Row row = Rows.Single(row => row.Name == name);
        DeflateWriter writer = new();
        row.Write(writer.Stored(new byte[5], isLast: false));
        byte[] source = writer.Rubbish(new byte[300]).ToArray();
        DeflateReference.Check(source, row.OutputLength + 5, name);
        DeflateReference.Check(source, row.OutputLength + 500, name);
    }

    [Fact]
    public void InputCutAnywhere_GetsDeflateStreamsVerdict()
    {
        foreach (string kind in DeflateSamples.Kinds)
        {
            byte[] content = DeflateSamples.Content(kind, 1500, seed: 6);
            foreach (ZLibCompressionStrategy strategy in Enum.GetValues<ZLibCompressionStrategy>())
            {
                byte[] source = DeflateSamples.Compress(content, strategy: strategy);
                for (int length = 0; length <= source.Length; length++)
                {
                    DeflateReference.Check(source[..length], content.Length, $"{kind}, {strategy}, {length} of {source.Length} bytes");
                }
            }
        }
    }

    [Fact]
    public void DamagedStreams_GetDeflateStreamsVerdict()
    {
        const int Streams = 200;
        const int DamagesOfEach = 500;
        Random random = new(31);
        int good = 0;
        for (int round = 0; round < Streams; round++)
        {
            byte[] content = DeflateSamples.Content(DeflateSamples.Kinds[round % DeflateSamples.Kinds.Count], random.Next(20, 3000), round);
            ZLibCompressionOptions options = new()
            {
                CompressionLevel = random.Next(0, 10),
                CompressionStrategy = (ZLibCompressionStrategy)random.Next(0, 5),
            };
            byte[] source = DeflateSamples.Compress(content, options, flushes: random.Next(0, 4));
            for (int damage = 0; damage < DamagesOfEach; damage++)
            {
                byte[] damaged = [.. source];
                for (int bytes = random.Next(1, 3); bytes > 0; bytes--)
                {
                    // The first bytes hold the tables.
                    int at = random.Next(random.Next(2) == 0 ? source.Length : Math.Min(source.Length, 80));
                    damaged[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)(damaged[at] ^ (1 << random.Next(8)));
                }

                good += DeflateReference.Check(damaged, content.Length, $"round {round}, damage {damage}") ? 1 : 0;
            }
        }

        // Neither all nor none.
        Assert.InRange(good, Streams * DamagesOfEach / 10, Streams * DamagesOfEach * 9 / 10);
    }

    /// <summary>The code lengths of literals, end of block and lengths.</summary>
    private static int[] Lengths(params (int Symbol, int Length)[] codes)
    {
        int[] lengths = new int[Math.Max(257, codes.Max(code => code.Symbol) + 1)];
        foreach ((int symbol, int length) in codes)
        {
            lengths[symbol] = length;
        }

        return lengths;
    }

    /// <summary>Literals 0 to 14 of 1 to 15 bits, and the end of the block of 15.</summary>
    private static int[] Chain() => Lengths([.. Enumerable.Range(0, 15).Select(i => (i, i + 1)), (256, 15)]);

    private sealed record Row(string Name, Action<DeflateWriter> Write, int OutputLength, bool Verdict);
}
