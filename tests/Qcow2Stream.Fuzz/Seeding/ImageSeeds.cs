using System.IO.Compression;
using Qcow2Stream.Tests.Codecs;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>Whole images: the committed ones that are small, and tiny ones of every kind.</summary>
internal static class ImageSeeds
{
    // Mutations of larger ones seldom hit what matters.
    private const int MostBytes = 64 << 10;
    private const int ClusterSize = 512;

    public static IEnumerable<KeyValuePair<string, byte[]>> All => [.. Built(), .. Committed()];

    private static IEnumerable<KeyValuePair<string, byte[]>> Committed() =>
        Directory.EnumerateFiles(Repository.Image("."))
            .Where(path => path.EndsWith(".qcow2", StringComparison.Ordinal) || path.EndsWith(".qcow2.gz", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(path => KeyValuePair.Create(Path.GetFileName(path), ReadImage(path)))
            .Where(seed => seed.Value.Length <= MostBytes);

    private static byte[] ReadImage(string path)
    {
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            return File.ReadAllBytes(path);
        }

        using GZipStream packed = new(File.OpenRead(path), CompressionMode.Decompress);
        using MemoryStream image = new();
        packed.CopyTo(image);
        return image.ToArray();
    }

    private static IEnumerable<KeyValuePair<string, byte[]>> Built()
    {
        byte[] text = DeflateSamples.Content("words", 4 * ClusterSize, seed: 1);
        GuestClusters[] every =
        [
            GuestClusters.Data(0, 0x10, count: 3),
            GuestClusters.Zero(4, count: 2),
            GuestClusters.ZeroAllocated(7),
            GuestClusters.Compressed(9, text, count: 4),
            GuestClusters.Data(70, 0x20, count: 2),
        ];
        yield return Seed("plain", new() { ClusterBits = 9, Size = 80 * ClusterSize, Clusters = every });
        yield return Seed("zstd", new() { ClusterBits = 9, Size = 80 * ClusterSize, Clusters = every, CompressionType = CompressionType.Zstd });
        yield return Seed("large-disk", new() { ClusterBits = 9, Size = 4 << 20, Clusters = every });
        yield return Seed("odd-size", new() { ClusterBits = 12, Size = (20 * 4096) + 512, Clusters = [GuestClusters.Data(0, 1), GuestClusters.Compressed(20, text)] });
        yield return Seed("v2", new()
        {
            Version = 2,
            ClusterBits = 9,
            Size = 40 * ClusterSize,
            Clusters = [GuestClusters.Data(0, 0x10, count: 3), GuestClusters.Compressed(9, text, count: 4)],
        });
        yield return Seed("backing-raw", Over("raw", every));
        yield return Seed("backing-qcow2", Over("qcow2", every));
        yield return Seed("backing-json", new()
        {
            ClusterBits = 9,
            Size = 60 * ClusterSize,
            BackingFile = """json:{"driver":"qcow2","file":{"driver":"file","filename":"base"}}""",
            Clusters = [GuestClusters.Data(2, 0x10)],
        });
        yield return Seed("data-file", new()
        {
            ClusterBits = 9,
            Size = 40 * ClusterSize,
            ExternalData = true,
            Extensions = [new HeaderExtension(HeaderExtension.ExternalDataFileName, "data.raw"u8.ToArray())],
            Clusters = [GuestClusters.Data(1, 0x10, count: 3), GuestClusters.Zero(6)],
        });
        yield return new("extended-l2", ExtendedL2());
        yield return Seed("aes", new() { ClusterBits = 9, Size = 40 * ClusterSize, CryptMethod = 1, Clusters = [GuestClusters.Data(0, 0x10, count: 3), GuestClusters.Zero(5)] });
        yield return Seed("feature-names", new()
        {
            ClusterBits = 9,
            Size = 20 * ClusterSize,
            CompatibleFeatures = 1,
            Extensions = [new HeaderExtension(HeaderExtension.FeatureNameTable, [0, 0, .. "dirty bit"u8, .. new byte[37], 0, 4, .. "extended"u8, .. new byte[38]])],
        });
        yield return new("snapshots", [.. SnapshotSeeds.Template.ToArray().WriteU32(HeaderField.NbSnapshots, 1), .. SnapshotSeeds.All.First().Value.Skip(1)]);
        byte[] bitmap = BitmapSeeds.All.First().Value;
        yield return new("bitmaps", [.. BitmapSeeds.Template.ToArray().WriteU32(BitmapSeeds.CountAt, 1).WriteU64(BitmapSeeds.DirectorySizeAt, (ulong)bitmap.Length - 3), .. bitmap[3..]]);
        yield return new("luks-head", LuksSeeds.Template[..(LuksSeeds.HeaderOffset + 1024)].WriteBytes(LuksSeeds.HeaderOffset, LuksSeeds.All.First().Value));
        yield return new("raw", text);
    }

    private static byte[] ExtendedL2()
    {
        Qcow2Image image = new Qcow2Builder
        {
            ClusterBits = 14,
            Size = 10 << 14,
            ExtendedL2 = true,
            Clusters = [GuestClusters.Subclusters(0, 0x0000FFFF, 0x00FF0000, 0x33), GuestClusters.Subclusters(2, 0, 0xF0F0F0F0, 0)],
        }.Build();

        // The refcounts, which come last, are not looked at; without them there is less to mutate in vain.
        return image.ToBytes().Truncate(image.RefcountTableOffset);
    }

    private static Qcow2Builder Over(string format, GuestClusters[] clusters) => new()
    {
        ClusterBits = 9,
        Size = 80 * ClusterSize,
        BackingFile = "base",
        BackingFormat = format,
        Clusters = clusters,
    };

    private static KeyValuePair<string, byte[]> Seed(string name, Qcow2Builder description) => new(name, description.Build().ToBytes());
}
