using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>Small disks with something of everything, and the bytes that must be read from them.</summary>
internal sealed class SampleDisk
{
    public const int ClusterBits = 12;
    public const int ClusterSize = 1 << ClusterBits;

    // The last cluster is cut off.
    private const int DiskSize = (40 * ClusterSize) + 1536;
    private const int BaseSize = 30 * ClusterSize;

    private SampleDisk(Qcow2Image image, byte[] expected)
    {
        Image = image.ToBytes();
        Expected = expected;
    }

    /// <summary>The image file.</summary>
    public byte[] Image { get; }

    /// <summary>The guest's disk.</summary>
    public byte[] Expected { get; }

    public int Length => Expected.Length;

    /// <summary>One image without a backing file: data, zero and compressed clusters, and nothing between them.</summary>
    public static SampleDisk Single()
    {
        Qcow2Image image = Describe(CompressionType.Zlib).Build();
        return new SampleDisk(image, image.ExpectedContent());
    }

    /// <summary>Writes the same image over a shorter backing file full of data, and returns the path of the top.</summary>
    public static string WriteChain(TempDirectory directory, out byte[] expected)
    {
        Qcow2Image below = new Qcow2Builder
        {
            // The smallest clusters, hence several L2 tables.
            ClusterBits = 9,
            Size = BaseSize,
            CompressionType = CompressionType.Zstd,
            Clusters =
            [
                GuestClusters.Data(0, Noise(10, seed: 3), count: 80),
                GuestClusters.Compressed(80, Noise(10, seed: 4, symbols: 7), count: 80),
                GuestClusters.Data(160, Noise(10, seed: 5), count: 80),
            ],
        }.Build();
        below.WriteTo(directory.File("base.qcow2"));
        Qcow2Image top = Describe(CompressionType.Zlib, below, "base.qcow2").Build();
        expected = top.ExpectedContent();
        string path = directory.File("top.qcow2");
        top.WriteTo(path);
        return path;
    }

    /// <summary>Eight clusters of data, then eight compressed ones.</summary>
    public static Qcow2Image DataThenCompressed() => new Qcow2Builder
    {
        ClusterBits = 16,
        Size = 16 << 16,
        Clusters =
        [
            GuestClusters.Data(0, Fill(8 << 16, seed: 1, symbols: 256), count: 8),
            GuestClusters.Compressed(8, Fill(8 << 16, seed: 2, symbols: 5), count: 8),
        ],
    }.Build();

    public MemoryStream OpenImage() => new(Image, writable: false);

    public Qcow2ChainStream Open() => new(OpenImage());

    private static Qcow2Builder Describe(CompressionType compression, Qcow2Image? backing = null, string? backingFile = null) => new()
    {
        ClusterBits = ClusterBits,
        Size = DiskSize,
        CompressionType = compression,
        Backing = backing,
        BackingFile = backingFile,
        BackingFormat = backing is null ? null : "qcow2",
        Clusters =
        [
            GuestClusters.Data(0, Noise(4, seed: 1), count: 4),
            GuestClusters.Zero(5, count: 3),
            GuestClusters.Compressed(9, Noise(6, seed: 2, symbols: 9), count: 6, skip: 3),
            GuestClusters.ZeroAllocated(18, count: 2),
            GuestClusters.Data(22, Noise(1, seed: 6)),
            GuestClusters.Data(27, Noise(6, seed: 7), count: 6),
            GuestClusters.Data(40, Noise(1, seed: 8)),
        ],
    };

    private static byte[] Noise(int clusters, int seed, int symbols = 256) => Fill(clusters * ClusterSize, seed, symbols);

    private static byte[] Fill(int length, int seed, int symbols)
    {
        byte[] bytes = new byte[length];
        Random random = new(seed);
        for (int index = 0; index < length; index++)
        {
            // Runs, so that the builder's compression finds something; never zero, so that no cluster is.
            bytes[index] = index % 4 == 0 || symbols == 256 ? (byte)random.Next(1, symbols) : bytes[index - 1];
        }

        return bytes;
    }
}
