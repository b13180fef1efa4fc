using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>
/// A good image is cut at, just before and just after every sector. What lies past the cut is missed by exactly
/// the reads that need it; everything else reads as before.
/// </summary>
public class TruncationTests
{
    private const int SectorSize = 512;

    [Theory]
    [InlineData(9, 3)]
    [InlineData(9, 2)]
    [InlineData(12, 3)]
    public void CutFile_MissesWhatIsBehindTheCutAndNothingElse(int clusterBits, uint version)
    {
        using TempDirectory directory = new();
        Qcow2Image image = Build(clusterBits, version);
        byte[] bytes = image.ToBytes();
        for (long sector = 0; sector <= bytes.Length; sector += SectorSize)
        {
            for (long length = Math.Max(0, sector - 1); length <= Math.Min(sector + 1, bytes.Length); length++)
            {
                string path = directory.Write($"{length}.qcow2", bytes.Truncate(length));
                CheckCut(image, 1 << clusterBits, path, length);
            }
        }
    }

    private static Qcow2Image Build(int clusterBits, uint version)
    {
        int perTable = (1 << clusterBits) / 8;
        return new Qcow2Builder
        {
            Version = version,
            ClusterBits = clusterBits,
            Size = (perTable * 3) << clusterBits,
            Extensions = [new HeaderExtension(0x12345678, new byte[20])],
            Clusters =
            [
                GuestClusters.Data(0, 0x10, count: 2),
                GuestClusters.Compressed(3, Noise(clusterBits), count: 2),
                GuestClusters.Data(perTable + 1, 0x30),
                GuestClusters.Data((2 * perTable) + 5, 0x40),
            ],
        }.Build();
    }

    // Hardly compressible, so that the compressed clusters are longer than a sector.
    private static byte[] Noise(int clusterBits)
    {
        byte[] noise = new byte[2 << clusterBits];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static long? HostOffsetOf(Qcow2Image image, long cluster, int clusterSize) => image.ExpectedMap.Extents
        .Where(extent => extent.Start <= cluster * clusterSize && cluster * clusterSize < extent.End)
        .Select(extent => extent.Offset + (cluster * clusterSize) - extent.Start)
        .Single();

    private static void CheckCut(Qcow2Image image, int clusterSize, string path, long length)
    {
        Qcow2OpenOptions options = new() { Format = ImageFormat.Qcow2 };
        if (length < image.L1Offset + (image.L1Size * 8))
        {
            var error = Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(path, options));
            Assert.Equal(path, error.ImagePath);
            return;
        }

        using var chain = Qcow2Chain.Open(path, options);
        byte[] expected = image.ExpectedContent();
        byte[] buffer = new byte[clusterSize];
        for (long cluster = 0; cluster < chain.Length / clusterSize; cluster++)
        {
            Span<byte> content = expected.AsSpan((int)cluster * clusterSize, clusterSize);
            bool isMissing = !image.L2Offsets.TryGetValue((int)(cluster / (clusterSize / 8)), out long table)
                || table + clusterSize > length;
            bool isCompressed = cluster is 3 or 4;
            if (!isMissing && !isCompressed && HostOffsetOf(image, cluster, clusterSize) is { } hostOffset)
            {
                isMissing = hostOffset >= length;
                content[(int)Math.Clamp(length - hostOffset, 0, clusterSize)..].Clear();
            }

            Exception? thrown = Record.Exception(() => chain.ReadAt(cluster * clusterSize, buffer));
            if (thrown is not null)
            {
                Assert.True(isMissing || isCompressed, $"cut at {length}, cluster {cluster}: {thrown}");
                Assert.Equal(path, Assert.IsType<Qcow2FormatException>(thrown).ImagePath);
            }
            else
            {
                Assert.False(isMissing, $"cut at {length}: cluster {cluster} is missing, but was read");
                Assert.True(content.SequenceEqual(buffer), $"cut at {length}, cluster {cluster}: wrong bytes");
            }
        }
    }
}
