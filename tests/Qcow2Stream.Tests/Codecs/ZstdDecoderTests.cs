using Qcow2Stream.Codecs;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Codecs;

public sealed class ZstdDecoderTests : IDisposable
{
    private readonly ZstdReference _reference = new();

    public static TheoryData<string> Kinds => [.. DeflateSamples.Kinds];

    public void Dispose() => _reference.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryLevel_DecodesToTheContent(string kind)
    {
        foreach (int length in (int[])[0, 1, 100, 4096, 65536])
        {
            byte[] content = DeflateSamples.Content(kind, length, seed: length);
            foreach (int level in (int[])[-100, -20, -7, -3, -1, .. Enumerable.Range(1, 22)])
            {
                CheckDecodes(content, ZstdSamples.Compress(content, level), $"level {level}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void LargeContents_Decode(string kind)
    {
        foreach (int length in (int[])[131_071, 131_072, 131_073, 400_000, 2 << 20])
        {
            byte[] content = DeflateSamples.Content(kind, length, seed: length);
            foreach (int level in (int[])[-1, 1, 3, 9])
            {
                CheckDecodes(content, ZstdSamples.Compress(content, level), $"level {level}");
                CheckDecodes(content, ZstdSamples.Stream(content, level, hasChecksum: true, flushes: level & 3), $"level {level}, as a stream");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryForm_DecodesToTheContent(string kind)
    {
        Random random = new(3);
        for (int length = 1; length < 60_000; length += 1 + (length / 4))
        {
            byte[] content = DeflateSamples.Content(kind, length, seed: length);
            for (int round = 0; round < 8; round++)
            {
                CheckDecodes(content, ZstdSamples.Any(content, random), $"round {round}");
            }
        }
    }

    [Fact]
    public void ShortOffsets_Repeat()
    {
        for (int offset = 1; offset <= 70; offset++)
        {
            byte[] content = DeflateSamples.Content("noise", 3000, seed: offset);
            for (int i = 500 + offset; i < 2700; i++)
            {
                // Other bytes now and then, so that there are matches of many lengths.
                content[i] = (i % 97) * offset % 41 == 0 ? (byte)i : content[i - offset];
            }

            for (int tail = 0; tail < 40; tail++)
            {
                byte[] part = content[..^(tail * 10)];
                CheckDecodes(part, ZstdSamples.Compress(part, 5), $"offset {offset}");
            }
        }
    }

    [Fact]
    public void SeveralFrames_FillTheCluster()
    {
        byte[] content = DeflateSamples.Content("words", 5000, seed: 1);
        byte[] source =
        [
            .. ZstdSamples.Skippable(0),
            .. ZstdSamples.Compress(content[..1000], hasChecksum: true),
            .. ZstdSamples.Compress([]),
            .. ZstdSamples.Skippable(300, kind: 15),
            .. ZstdSamples.Stream(content[1000..4000], flushes: 3),
            .. ZstdSamples.Compress(content[4000..]),
            .. "what follows is ignored"u8,
        ];
        CheckDecodes(content, source, "frames");
        Assert.False(_reference.Check(source, content.Length - 1, "ends within a frame"));
        Assert.False(_reference.Check(source, content.Length + 1, "one byte is missing"));
        Assert.True(_reference.Check(source, 4000, "ends with the last but one frame"));
    }

    [Fact]
    public void OnlyMatchingChecksums_AreTaken()
    {
        for (int length = 0; length < 100; length++)
        {
            byte[] content = DeflateSamples.Content("noise", length, seed: length);
            byte[] source = ZstdSamples.Compress(content, hasChecksum: true);
            CheckDecodes(content, source, "checksum");
            source[^1] ^= 1;
            Assert.False(_reference.Check(source, length, "wrong checksum"));
        }
    }

    [Fact]
    public void ClustersThatQemuCompressed_DecodeAsTheReferenceDoes()
    {
        string path = Repository.Image("zstd.qcow2");
        byte[] file = File.ReadAllBytes(path);
        using var chain = Qcow2Chain.Open(path);
        MapExtent[] clusters = [.. chain.Map().Where(extent => extent.Kind == MapKind.Compressed)];
        Assert.True(clusters.Length > 20);
        foreach (MapExtent cluster in clusters)
        {
            int start = (int)cluster.HostOffset!.Value;
            int end = Math.Min(start + (int)cluster.HostLength, file.Length);
            Assert.True(_reference.Check(file[start..end], (int)cluster.Length, $"at {cluster.Start}"));
        }
    }

    [Fact]
    public void OneFrame_DecodesAsFarAsItReaches()
    {
        byte[] content = DeflateSamples.Content("words", 5000, seed: 1);
        byte[] source = [.. ZstdSamples.Compress(content), .. new byte[100]];
        byte[] decoded = new byte[8192];
        Assert.True(ZstdDecoder.TryDecodeFrame(source, decoded, out int length));
        Assert.Equal(content, decoded[..length]);
        Assert.False(ZstdDecoder.TryDecodeFrame(source, decoded.AsSpan(0, 4999), out _));
    }

    [Fact]
    public void Decoding_AllocatesNothing()
    {
        byte[][] sources = [.. DeflateSamples.Kinds.Select(kind => ZstdSamples.Compress(DeflateSamples.Content(kind, 65536, seed: 9), hasChecksum: true))];
        byte[] cluster = new byte[65536];
        long least = long.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            // The first rounds warm up the code, and other tests may take what this one gave back to the pool.
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (byte[] source in sources)
            {
                if (!ZstdDecoder.TryDecode(source, cluster))
                {
                    Assert.Fail("not decoded");
                }
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private void CheckDecodes(byte[] content, byte[] source, string what)
    {
        byte[] actual = new byte[content.Length];
        if (!ZstdDecoder.TryDecode(source, actual) || !actual.AsSpan().SequenceEqual(content))
        {
            Assert.Fail($"{content.Length} bytes, {what}");
        }

        Assert.True(_reference.Check(source, content.Length, what));
    }
}
