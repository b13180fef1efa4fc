using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>The metadata of good images is damaged at random, the same way in every run.</summary>
public class RandomDamageTests
{
    private const int CasesPerImage = 500;
    private const int ClusterSize = 4096;

    // Of a disk whose damaged header says that it is huge, the start and the end are read.
    private const int MostRead = 1 << 20;

    // The largest buffers that an image can rightly ask for are some MiB: a table, a cluster, its compressed bytes.
    private const long MostAllocated = 64 << 20;

    [Theory]
    [InlineData("v3 zlib")]
    [InlineData("v3 zstd")]
    [InlineData("v2")]
    [InlineData("v3 backing")]
    public void DamagedMetadata_GivesOwnErrorsAndBoundedMemory(string kind)
    {
        Qcow2Image image = Build(kind);
        byte[] good = image.ToBytes();
        long[] places = [.. MetadataOf(image, good)];
        byte[] buffer = new byte[MostRead];
        int opened = 0;
        int failed = 0;
        for (int seed = 0; seed < CasesPerImage; seed++)
        {
            byte[] bad = Mutate(good, places, new Random(seed));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Exception? thrown = Record.Exception(() => opened += UseAll(bad, buffer));
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(thrown is null or Qcow2Exception, $"{kind}, seed {seed}: {thrown}");
            Assert.True(allocated < MostAllocated, $"{kind}, seed {seed}: {allocated} bytes allocated");
            failed += thrown is null ? 0 : 1;
        }

        // Neither all nor nothing: the damage reaches what lies behind the header.
        Assert.InRange(opened, CasesPerImage / 10, CasesPerImage);
        Assert.InRange(failed, CasesPerImage / 10, CasesPerImage - 1);
    }

    private static int UseAll(byte[] image, byte[] buffer)
    {
        Qcow2OpenOptions options = new()
        {
            Format = ImageFormat.Qcow2,
            Follow = FollowPolicy.FromResolver(_ => new MemoryStream(new byte[3 * ClusterSize])),
        };
        using var chain = Qcow2Chain.Open(new MemoryStream(image), options);
        Exception? first = null;
        foreach (long start in new[] { 0, Math.Max(0, chain.Length - MostRead) })
        {
            first = Record.Exception(() => chain.ReadAt(start, buffer)) ?? first;
            for (long position = start; position < Math.Min(start + MostRead, chain.Length); position += ClusterSize)
            {
                long at = position;
                first = Record.Exception(() => chain.ReadAt(at, buffer.AsSpan(0, 100))) is { } error ? Worse(first, error) : first;
            }
        }

        first = Record.Exception(() => chain.Map().ToArray()) is { } mapError ? Worse(first, mapError) : first;
        return first is null ? 1 : throw first;
    }

    private static Exception Worse(Exception? first, Exception second) => first is null or Qcow2Exception ? second : first;

    private static byte[] Mutate(byte[] good, long[] places, Random random)
    {
        byte[] bad = [.. good];
        for (int count = random.Next(1, 5); count > 0; count--)
        {
            long place = places[random.Next(places.Length)];
            bad[place] = random.Next(4) switch
            {
                0 => 0,
                1 => 0xFF,
                2 => (byte)(bad[place] ^ (1 << random.Next(8))),
                _ => (byte)random.Next(256),
            };
        }

        return bad;
    }

    private static IEnumerable<long> MetadataOf(Qcow2Image image, byte[] bytes)
    {
        for (long place = HeaderField.Version; place < 200; place++)
        {
            yield return place;
        }

        for (int index = 0; index < image.L1Size * 8; index++)
        {
            yield return image.L1Offset + index;
        }

        foreach (long table in image.L2Offsets.Values)
        {
            for (int index = 0; index < 24 * 8; index++)
            {
                yield return table + index;
            }
        }

        // The start of the compressed bytes of clusters 8 to 11.
        for (long cluster = 8; cluster < 12; cluster++)
        {
            long start = (long)(bytes.ReadU64(image.L2EntryOffset(cluster)) & ((1UL << 58) - 1));
            for (int index = 0; index < 16; index++)
            {
                yield return start + index;
            }
        }
    }

    private static Qcow2Image Build(string kind)
    {
        byte[] text = new byte[4 * ClusterSize];
        Random random = new(1);
        for (int index = 0; index < text.Length; index++)
        {
            text[index] = (byte)('a' + random.Next(5));
        }

        bool isVersion2 = kind == "v2";
        return new Qcow2Builder
        {
            Version = isVersion2 ? 2u : 3,
            ClusterBits = 12,
            Size = 600 * ClusterSize,
            CompressionType = kind == "v3 zstd" ? CompressionType.Zstd : CompressionType.Zlib,
            BackingFile = kind == "v3 backing" ? "base.raw" : null,
            BackingFormat = kind == "v3 backing" ? "raw" : null,
            Extensions = [new HeaderExtension(HeaderExtension.FeatureNameTable, new byte[48])],
            Clusters =
            [
                GuestClusters.Data(0, 0x10, count: 4),
                isVersion2 ? GuestClusters.Data(4, 0x20) : GuestClusters.Zero(4),
                isVersion2 ? GuestClusters.Data(5, 0x20) : GuestClusters.ZeroAllocated(5),
                GuestClusters.Compressed(8, text, count: 4),
                GuestClusters.Data(512, 0x40, count: 3),
            ],
        }.Build();
    }
}
