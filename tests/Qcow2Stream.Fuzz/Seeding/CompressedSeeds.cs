using Qcow2Stream.Fuzz.Harnesses;
using Qcow2Stream.Tests.Codecs;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>Contents of several kinds in both forms of compression.</summary>
internal static class CompressedSeeds
{
    public static IEnumerable<KeyValuePair<string, byte[]>> All => DeflateSamples.Kinds.SelectMany(Of);

    private static IEnumerable<KeyValuePair<string, byte[]>> Of(string kind, int index)
    {
        Random random = new(index);
        foreach (int clusterBits in new[] { 9, 12 })
        {
            byte[] content = DeflateSamples.Content(kind, 1 << clusterBits, index);
            byte deflate = CompressedHarness.Choice(isZstd: false, clusterBits);
            byte zstd = CompressedHarness.Choice(isZstd: true, clusterBits);
            yield return new($"deflate-{kind}-{clusterBits}", [deflate, .. DeflateSamples.Compress(content, level: 9)]);
            yield return new($"zstd-{kind}-{clusterBits}", [zstd, .. ZstdSamples.Compress(content, level: 5)]);
            yield return new($"zstd-any-{kind}-{clusterBits}", [zstd, .. ZstdSamples.Any(content, random)]);
        }

        byte[] small = DeflateSamples.Content(kind, 512, index + 50);
        byte part = CompressedHarness.Choice(isZstd: false, clusterBits: 9, isShort: true);
        yield return new($"deflate-fixed-{kind}", [part, .. DeflateSamples.Compress(small, strategy: System.IO.Compression.ZLibCompressionStrategy.Fixed)]);
        yield return new($"zstd-checked-{kind}", [CompressedHarness.Choice(true, 9), .. ZstdSamples.Skippable(3), .. ZstdSamples.Stream(small, level: 19, hasChecksum: true, flushes: 2)]);
    }
}
