using System.IO.Compression;
using Qcow2Stream.Codecs;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Codecs;

public class InflaterTests
{
    public static TheoryData<string> Kinds => [.. DeflateSamples.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryLevel_InflatesToTheContent(string kind)
    {
        foreach (int length in (int[])[1, 100, 4096, 65536, 300_000])
        {
            byte[] content = DeflateSamples.Content(kind, length, seed: length);
            for (int level = 0; level <= 9; level++)
            {
                CheckInflates(content, DeflateSamples.Compress(content, level), $"level {level}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryStrategy_InflatesToTheContent(string kind)
    {
        foreach (ZLibCompressionStrategy strategy in Enum.GetValues<ZLibCompressionStrategy>())
        {
            foreach (int length in (int[])[300, 65536])
            {
                byte[] content = DeflateSamples.Content(kind, length, seed: 5);
                CheckInflates(content, DeflateSamples.Compress(content, strategy: strategy), $"{strategy}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EmptyBlocksBetween_InflateToTheContent(string kind)
    {
        for (int flushes = 1; flushes < 40; flushes++)
        {
            byte[] content = DeflateSamples.Content(kind, 9000, seed: flushes);
            CheckInflates(content, DeflateSamples.Compress(content, new ZLibCompressionOptions(), flushes), $"{flushes} flushes");
        }
    }

    [Theory]
    [InlineData("zlib.qcow2")]
    [InlineData("ext4.qcow2")]
    public void ClustersThatQemuCompressed_InflateAsDeflateStreamDoes(string image)
    {
        string path = Repository.Image(image);
        byte[] file = File.ReadAllBytes(path);
        using var chain = Qcow2Chain.Open(path);
        MapExtent[] clusters = [.. chain.Map().Where(extent => extent.Kind == MapKind.Compressed)];
        foreach (MapExtent cluster in clusters)
        {
            int start = (int)cluster.HostOffset!.Value;
            int end = Math.Min(start + (int)cluster.HostLength, file.Length);
            Assert.True(DeflateReference.Check(file[start..end], (int)cluster.Length, $"{image} at {cluster.Start}"));
        }

        Assert.True(image != "zlib.qcow2" || clusters.Length > 20);
    }

    [Fact]
    public void EveryOutputLength_GivesTheFirstBytes()
    {
        foreach (string kind in DeflateSamples.Kinds)
        {
            byte[] content = DeflateSamples.Content(kind, 2000, seed: 3);
            byte[] source = DeflateSamples.Compress(content);
            for (int length = 0; length <= content.Length + 2; length++)
            {
                Assert.Equal(length <= content.Length, DeflateReference.Check(source, length, $"{kind}, {length} bytes"));
            }
        }
    }

    [Fact]
    public void MatchesOfEveryLengthAndShortDistance_Repeat()
    {
        byte[] start = DeflateSamples.Content("noise", 70, seed: 1);
        for (int distance = 1; distance <= 70; distance++)
        {
            for (int length = 3; length <= 258; length++)
            {
                // Far from the end of the output, and up to it.
                foreach (int more in (int[])[0, 400])
                {
                    DeflateWriter writer = new DeflateWriter().Stored(start, isLast: false).Block(1).FixedMatch(length, distance);
                    byte[] expected = new byte[start.Length + length + more];
                    start.CopyTo(expected, 0);
                    for (int i = 0; i < length; i++)
                    {
                        expected[start.Length + i] = expected[start.Length + i - distance];
                    }

                    for (int i = 0; i < more; i++)
                    {
                        writer.Fixed(expected[start.Length + length + i] = (byte)(i * 7));
                    }

                    byte[] actual = new byte[expected.Length];
                    if (!Inflater.TryInflate(writer.FixedEnd().ToArray(), actual) || !actual.AsSpan().SequenceEqual(expected))
                    {
                        Assert.Fail($"length {length}, distance {distance}, {more} more");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(24577)]
    [InlineData(32767)]
    [InlineData(32768)]
    public void LongDistances_ReachBack(int distance)
    {
        byte[] start = DeflateSamples.Content("noise", distance, seed: distance);
        DeflateWriter writer = new DeflateWriter().Stored(start, isLast: false).Block(1);
        List<byte> expected = [.. start];
        foreach (int length in (int[])[3, 17, 258, 64, 33, 32, 16, 258, 258])
        {
            writer.FixedMatch(length, distance);
            expected.AddRange(expected[^distance..].GetRange(0, Math.Min(length, distance)));
        }

        CheckInflates([.. expected], writer.FixedEnd().ToArray(), $"distance {distance}");
        Assert.False(DeflateReference.Check(
            new DeflateWriter().Stored(start.AsSpan(1), isLast: false).Block(1).FixedMatch(3, distance).FixedEnd().ToArray(),
            start.Length + 2,
            "one byte too far"));
    }

    [Fact]
    public void RandomContents_InflateAsDeflateStreamDoes()
    {
        Random random = new(20);
        for (int round = 0; round < 500; round++)
        {
            byte[] content = DeflateSamples.Content(DeflateSamples.Kinds[round % DeflateSamples.Kinds.Count], random.Next(0, 20_000), round);
            byte[] source = DeflateSamples.Compress(content, random.Next(0, 10), (ZLibCompressionStrategy)random.Next(0, 5));
            DeflateReference.Check(source, random.Next(0, content.Length + 3), $"round {round}");
        }
    }

    [Fact]
    public void Inflating_AllocatesNothing()
    {
        byte[][] sources = [.. DeflateSamples.Kinds.Select(kind => DeflateSamples.Compress(DeflateSamples.Content(kind, 65536, seed: 9)))];
        byte[] cluster = new byte[65536];
        long before = 0;
        for (int round = 0; round < 20; round++)
        {
            // The first rounds warm up the code.
            before = round == 10 ? GC.GetAllocatedBytesForCurrentThread() : before;
            foreach (byte[] source in sources)
            {
                if (!Inflater.TryInflate(source, cluster))
                {
                    Assert.Fail("not inflated");
                }
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void CheckInflates(byte[] content, byte[] source, string what)
    {
        byte[] actual = new byte[content.Length];
        if (!Inflater.TryInflate(source, actual) || !actual.AsSpan().SequenceEqual(content))
        {
            Assert.Fail($"{content.Length} bytes, {what}");
        }

        Assert.True(DeflateReference.Check(source, content.Length, what));
    }
}
