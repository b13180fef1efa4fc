using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Layers;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>A good image that is there to be damaged, with the files that it names.</summary>
internal sealed record DamageSubject(string Name, byte[] Image)
{
    private const int ClusterSize = 4096;

    private static readonly string[] Pinned =
    [
        "v2", "v3-512", "zlib", "zstd", "zero", "empty", "odd-size", "extended-l2", "data-file", "snapshots", "bitmaps", "aes", "luks",
    ];

    private static readonly string[] Built = ["built v2", "built zlib", "built zstd", "backing", "subclusters"];

    public static IReadOnlyList<string> Names { get; } = [.. Pinned, .. Built, "qcow", "qcow backing"];

    public ImageFormat Format { get; init; } = ImageFormat.Qcow2;

    /// <summary>The name and the content of the one file that the image names.</summary>
    public (string Name, byte[] Content)? Beside { get; init; }

    public static DamageSubject Make(string name)
    {
        if (Pinned.Contains(name))
        {
            using TempDirectory scratch = new();
            byte[] image = File.ReadAllBytes(PinnedImages.PathOf(name, scratch));
            return new DamageSubject(name, image)
            {
                Beside = name == "data-file" ? ("data-file.raw", File.ReadAllBytes(Repository.Image("data-file.raw"))) : null,
            };
        }

        byte[] below = new byte[37 * 512];
        new Random(7).NextBytes(below);
        return name switch
        {
            "qcow" => new DamageSubject(name, Qcow1Image.Make().Bytes) { Format = ImageFormat.Qcow1 },
            "qcow backing" => new DamageSubject(name, Qcow1Image.Make("base.raw").Bytes) { Format = ImageFormat.Qcow1, Beside = ("base.raw", below) },
            "subclusters" => new DamageSubject(name, BuildSubclusters().ToBytes()) { Beside = ("base.raw", below) },
            _ => new DamageSubject(name, Build(name).ToBytes()) { Beside = name == "backing" ? ("base.raw", below) : null },
        };
    }

    /// <summary>How to open it. The files that it names are at hand whatever they are called now.</summary>
    public Qcow2OpenOptions Options() => new()
    {
        Format = Format,
        Follow = FollowPolicy.FromResolver(_ => new MemoryStream(Beside?.Content ?? [])),
        Passphrase = _ => Encoding.UTF8.GetBytes(PinnedImages.Passphrase),
        MaxKeyIterations = 100_000,
    };

    /// <summary>Two tables, a compressed cluster in each, what each version knows of zeros, and a long tail of nothing.</summary>
    private static Qcow2Image Build(string name)
    {
        byte[] text = new byte[4 * ClusterSize];
        Random random = new(1);
        for (int index = 0; index < text.Length; index++)
        {
            text[index] = (byte)('a' + random.Next(5));
        }

        bool isVersion2 = name == "built v2";
        return new Qcow2Builder
        {
            Version = isVersion2 ? 2u : 3,
            ClusterBits = 12,
            Size = 1200 * ClusterSize,
            CompressionType = name == "built zstd" ? CompressionType.Zstd : CompressionType.Zlib,
            BackingFile = name == "backing" ? "base.raw" : null,
            BackingFormat = name == "backing" ? "raw" : null,
            Extensions = [new HeaderExtension(HeaderExtension.FeatureNameTable, new byte[48])],
            Clusters =
            [
                GuestClusters.Data(0, 0x10, count: 4),
                isVersion2 ? GuestClusters.Data(4, 0x20) : GuestClusters.Zero(4),
                isVersion2 ? GuestClusters.Data(5, 0x20) : GuestClusters.ZeroAllocated(5),
                GuestClusters.Compressed(8, text, count: 4),
                GuestClusters.Data(512, 0x40, count: 3),
                GuestClusters.Compressed(600, 0x50),
            ],
        }.Build();
    }

    private static Qcow2Image BuildSubclusters() => new Qcow2Builder
    {
        ClusterBits = 14,
        ExtendedL2 = true,
        Size = 1100 * 16384,
        BackingFile = "base.raw",
        BackingFormat = "raw",
        Clusters =
        [
            GuestClusters.Subclusters(0, 0x0000_FFFF, 0x00FF_0000, 0x31),
            GuestClusters.Subclusters(1, 0xAAAA_AAAA, 0x5555_5555, 0x32),
            GuestClusters.Subclusters(2, 0, 0xFFFF_FFFF, 0x33, withHostCluster: true),
            GuestClusters.Subclusters(3, 0, 0x0000_000F, 0x34),
            GuestClusters.Compressed(5, 0x35),
            GuestClusters.Subclusters(1024, 0xFFFF_FFFF, 0, 0x36),
        ],
    }.Build();
}
