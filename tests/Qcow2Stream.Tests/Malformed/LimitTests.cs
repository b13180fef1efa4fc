using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>What a header may claim: up to the option it opens, and one more is refused by the option's name.</summary>
public sealed class LimitTests
{
    private static readonly (string Option, Func<byte[]> Image, Func<int, Qcow2OpenOptions> Options, int AtLimit)[] Rows =
    [
        ("MaxL1TableBytes", () => Image(), n => new() { MaxL1TableBytes = n }, 8),
        ("MaxHeaderExtensions", () => Image(Unknown(1), Unknown(2), Unknown(3)), n => new() { MaxHeaderExtensions = n }, 3),
        ("MaxBackingFileNameBytes", () => Image("base.raw", "raw"), n => new() { MaxBackingFileNameBytes = n }, 8),
        ("MaxBackingFormatBytes", () => Image("base.raw", "qcow2"), n => new() { MaxBackingFormatBytes = n }, 5),
        ("MaxDataFileNameBytes", () => Image(new HeaderExtension(HeaderExtension.ExternalDataFileName, "data.raw"u8.ToArray())), n => new() { MaxDataFileNameBytes = n }, 8),
        ("MaxBackingFileNameBytes", Qcow1, n => new() { MaxBackingFileNameBytes = n }, 8),
    ];

    public static TheoryData<int> Indexes => [.. Enumerable.Range(0, Rows.Length)];

    [Theory]
    [MemberData(nameof(Indexes))]
    public async Task OneMoreThanTheOption_IsRefusedByItsName(int index)
    {
        (string option, Func<byte[]> image, Func<int, Qcow2OpenOptions> options, int atLimit) = Rows[index];
        FollowPolicy anything = FollowPolicy.FromResolver(_ => new MemoryStream(new Qcow2Builder().Build().ToBytes()));
        using (Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image()), options(atLimit) with { Follow = anything }))
        {
            Assert.NotEmpty(chain.Layers);
        }

        Qcow2OpenOptions below = options(atLimit - 1) with { Follow = anything };
        Exception? error = Record.Exception(() => Qcow2Chain.Open(new MemoryStream(image()), below));
        Assert.True(error is Qcow2FormatException or Qcow2UnsupportedException, $"{error}");
        Assert.Contains($"{option} allows", error.Message, StringComparison.Ordinal);
        Assert.Equal(option, ((Qcow2Exception)error).Hint);
        Assert.Contains($"{atLimit - 1}", error.Message, StringComparison.Ordinal);
        Exception asyncError = await Assert.ThrowsAnyAsync<Qcow2Exception>(() => Qcow2Chain.OpenAsync(new MemoryStream(image()), below));
        Assert.Equal(error.Message, asyncError.Message);
    }

    [Fact]
    public void JsonNameNestedDeeperThanTheOption_IsRefused()
    {
        // As deep as three objects: the name's own, one a member of it, and one of that.
        byte[] image = Image("""json:{"file":{"filename":"base.raw","cache":{"direct":true}}}""", "raw");
        using TempDirectory directory = new();
        directory.Write("base.raw", new byte[512]);
        string path = directory.Write("top.qcow2", image);
        Qcow2Chain.Open(path, new() { MaxJsonDepth = 3 }).Dispose();
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(path, new() { MaxJsonDepth = 2 }));
        Assert.Contains("its json: name is not valid JSON", error.Message, StringComparison.Ordinal);
        Assert.Contains("MaxJsonDepth allows", error.Message, StringComparison.Ordinal);
        Assert.Equal("MaxJsonDepth", error.Hint);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Qcow2OpenOptions { MaxJsonDepth = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Qcow2OpenOptions { MaxJsonDepth = 1001 });
    }

    /// <summary>The README and the documentation promise these.</summary>
    [Fact]
    public void Defaults_AreThese() => Assert.Equal(
        [
            "DecompressedCacheBytes 8388608",
            "LayerCacheBytes 8388608",
            "MaxBackingFileNameBytes 1023",
            "MaxBackingFormatBytes 15",
            "MaxBitmaps 65535",
            "MaxChainDepth 64",
            "MaxCheckBytes 268435456",
            "MaxCheckFindings 100000",
            "MaxDataFileNameBytes 4095",
            "MaxForeignTableBytes 268435456",
            "MaxHeaderExtensions 65536",
            "MaxInspectionSpots 20",
            "MaxJsonDepth 16",
            "MaxKeyIterations 40000000",
            "MaxL1TableBytes 33554432",
            "MaxSnapshotTableBytes 67108864",
            "MaxSnapshots 65536",
            "MaxZstdWindowBytes 134217728",
            "MetadataCacheBytes 67108864",
        ],
        typeof(Qcow2OpenOptions).GetProperties()
            .Where(p => p.PropertyType == typeof(int))
            .Select(p => $"{p.Name} {p.GetValue(new Qcow2OpenOptions())}")
            .Order(StringComparer.Ordinal));

    private static HeaderExtension Unknown(uint type) => new(type, Encoding.ASCII.GetBytes("unknown"));

    private static byte[] Image(params HeaderExtension[] extensions) => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = 4096,
        ExternalData = extensions.Any(e => e.Type == HeaderExtension.ExternalDataFileName),
        Extensions = extensions,
    }.Build().ToBytes();

    private static byte[] Image(string backingFile, string backingFormat) => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = 4096,
        BackingFile = backingFile,
        BackingFormat = backingFormat,
    }.Build().ToBytes();

    private static byte[] Qcow1()
    {
        byte[] image = new byte[4096];
        image.WriteU32(0, 0x514649FB).WriteU32(4, 1);
        image.WriteU64(8, 64).WriteU32(16, 8).WriteU64(24, 512).WriteU8(32, 12).WriteU8(33, 9).WriteU64(40, 512);
        image.WriteBytes(64, "base.raw"u8.ToArray());
        return image;
    }
}
