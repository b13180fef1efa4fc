using System.Text;
using Qcow2Stream.Format;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Format;

public class HeaderParserTests
{
    private const long FileLength = 1 << 20;

    // As qemu-img writes it, each field with a value of its own.
    private const string Version3 =
        "514649fb 00000003 0000000000000190 00000009" // magic, version, backing file offset and size
        + "00000010 00000000c0001234 00000000" // cluster_bits, size, crypt_method
        + "00000007 0000000000030000 0000000000010000 00000002" // L1 size and offset, refcount table offset and clusters
        + "00000005 0000000000070000" // snapshots and their offset
        + "0000000000000009 0000000000000003 8000000000000001" // incompatible, compatible, autoclear features
        + "00000006 00000070 0100000000000000"; // refcount_order, header_length, compression_type

    private const string Version2 =
        "514649fb 00000002 0000000000000000 00000000"
        + "0000000c 0000000000200000 00000000"
        + "00000001 0000000000003000 0000000000001000 00000001"
        + "00000000 0000000000000000";

    [Fact]
    public void Version3Header_GivesEveryField()
    {
        byte[] bytes = new byte[1024];
        Hex(Version3).CopyTo(bytes, 0);
        Hex("e2792aca 00000005 7163 6f77 32 000000").CopyTo(bytes, 112);
        Hex("0000abcd 00000003 010203 0000000000").CopyTo(bytes, 128);
        Encoding.ASCII.GetBytes("base file").CopyTo(bytes, 0x190);

        Qcow2Header header = Parse(bytes)!;
        Assert.Equal(3, header.Version);
        Assert.Equal(65536, header.ClusterSize);
        Assert.Equal(0xC0001234L, header.Size);
        Assert.Equal(Qcow2EncryptionMethod.None, header.EncryptionMethod);
        Assert.Equal(7, header.L1Size);
        Assert.Equal(0x30000, header.L1TableOffset);
        Assert.Equal(0x10000UL, header.RefcountTableOffset);
        Assert.Equal(2u, header.RefcountTableClusters);
        Assert.Equal(5u, header.SnapshotCount);
        Assert.Equal(0x70000UL, header.SnapshotsOffset);
        Assert.Equal(Qcow2IncompatibleFeatures.Dirty | Qcow2IncompatibleFeatures.CompressionType, header.IncompatibleFeatures);
        Assert.Equal(3UL, header.CompatibleFeatures);
        Assert.True(header.HasLazyRefcounts);
        Assert.Equal(0x8000000000000001UL, header.AutoclearFeatures);
        Assert.Equal(64, header.RefcountBits);
        Assert.Equal(112, header.HeaderLength);
        Assert.Equal(Qcow2CompressionType.Zstd, header.CompressionType);
        Assert.Equal("base file", header.BackingFile);
        Assert.Equal("qcow2", header.BackingFormat);
        Assert.Equal([(0xE2792ACAu, 120L), (0xABCDu, 136L)], header.Extensions.Select(e => (e.Type, e.Offset)));
        Assert.Equal(new byte[] { 1, 2, 3 }, header.Extensions[1].Data.ToArray());
    }

    [Fact]
    public void Version2Header_GivesVersion2Defaults()
    {
        byte[] bytes = new byte[4096];
        Hex(Version2).CopyTo(bytes, 0);
        Hex("0000abcd 00000028").CopyTo(bytes, 72);
        bytes.AsSpan(80, 40).Fill(0xFF);

        Qcow2Header header = Parse(bytes)!;
        Assert.Equal(2, header.Version);
        Assert.Equal(4096, header.ClusterSize);
        Assert.Equal(2 << 20, header.Size);
        Assert.Equal(1, header.L1Size);
        Assert.Equal(Qcow2IncompatibleFeatures.None, header.IncompatibleFeatures);
        Assert.Equal(0UL, header.CompatibleFeatures);
        Assert.False(header.HasLazyRefcounts);
        Assert.Equal(0UL, header.AutoclearFeatures);
        Assert.Equal(16, header.RefcountBits);
        Assert.Equal(72, header.HeaderLength);
        Assert.Equal(Qcow2CompressionType.Zlib, header.CompressionType);
        Assert.Null(header.BackingFile);
        Assert.Null(header.BackingFormat);
        Assert.Single(header.Extensions);
    }

    [Fact]
    public void HeaderOf104Bytes_HasNoCompressionType()
    {
        byte[] bytes = new byte[4096];
        Hex(Version3).CopyTo(bytes, 0);
        bytes.WriteU64(HeaderField.IncompatibleFeatures, 0)
            .WriteU32(HeaderField.HeaderLength, 104)
            .WriteU64(HeaderField.BackingFileOffset, 0);
        Hex("01000000 00000008").CopyTo(bytes, 104);
        bytes.AsSpan(112, 8).Fill(0xEE);

        Qcow2Header header = Parse(bytes)!;
        Assert.Equal(Qcow2CompressionType.Zlib, header.CompressionType);
        Assert.Equal(0x01000000u, Assert.Single(header.Extensions).Type);
    }

    [Fact]
    public void LongHeader_KeepsItsKnownFieldsAndSkipsTheRest()
    {
        byte[] bytes = new byte[4096];
        Hex(Version3).CopyTo(bytes, 0);
        bytes.WriteU32(HeaderField.HeaderLength, 256).AsSpan(112, 144).Fill(0xFF);
        Encoding.ASCII.GetBytes("base file").CopyTo(bytes, 0x190);
        Qcow2Header header = Parse(bytes)!;
        Assert.Equal(256, header.HeaderLength);
        Assert.Empty(header.Extensions);
    }

    [Theory]
    [InlineData(0x190 + 8)]
    [InlineData(136)]
    public void HeaderThatGoesOn_AsksForTheFirstCluster(int given)
    {
        byte[] bytes = new byte[65536];
        Hex(Version3).CopyTo(bytes, 0);
        Assert.Null(Qcow2HeaderParser.Parse(bytes.AsSpan(0, given), FileLength, Qcow2OpenOptions.Default.HeaderLimits, "image", out int needed));
        Assert.Equal(65536, needed);
        Assert.NotNull(Qcow2HeaderParser.Parse(bytes.AsSpan(0, needed), FileLength, Qcow2OpenOptions.Default.HeaderLimits, "image", out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Magic_NeedsFourBytes(int length) => Assert.False(Qcow2HeaderParser.HasMagic(Hex(Version3).AsSpan(0, length)));

    [Fact]
    public void Magic_IsTheSameInEveryVersion()
    {
        Assert.True(Qcow2HeaderParser.HasMagic(Hex(Version2)));
        Assert.True(Qcow2HeaderParser.HasMagic([(byte)'Q', (byte)'F', (byte)'I', 0xFB]));
        Assert.False(Qcow2HeaderParser.HasMagic(Hex("fb494651")));
    }

    [Theory]
    [InlineData(13, 4096 - 112 - 8)] // to the last byte of the first read
    [InlineData(13, 4096 - 112 - 7)] // one byte over it
    [InlineData(13, 8192 - 112 - 8 - 8)] // to the end of the cluster
    [InlineData(16, 4096 - 112 - 12)] // the first read ends in the next one's head
    [InlineData(16, 50000)]
    [InlineData(21, 2000000)]
    public void ExtensionsLongerThanTheFirstRead_AreAllThere(int clusterBits, int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        bool hasRoom = length + 300 < 1 << clusterBits;
        byte[] image = new Qcow2Builder
        {
            ClusterBits = clusterBits,
            Size = 512,
            BackingFile = hasRoom ? "behind-it.raw" : null,
            Extensions = hasRoom ? [new(0x1111, data), new(0x2222, [1, 2, 3])] : [new(0x1111, data)],
            Clusters = [GuestClusters.Data(0, 0x77)],
        }.Build().ToBytes();

        FollowPolicy follow = FollowPolicy.FromResolver(_ => new MemoryStream(512));
        using var chain = Qcow2Chain.Open(new MemoryStream(image), new() { Follow = follow });
        Qcow2Header header = chain.Layers[0].Header!;
        Assert.Equal(data, header.Extensions[0].Data.ToArray());
        Assert.Equal(hasRoom ? 2 : 1, header.Extensions.Count);
        Assert.Equal(hasRoom ? "behind-it.raw" : null, header.BackingFile);
        Assert.Equal(GuestDisk.Filled(512, 0x77), chain.ReadWholeDisk());
    }

    [Fact]
    public async Task ManySmallExtensions_AreAllThere()
    {
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 16,
            Size = 0,
            Extensions = [.. Enumerable.Range(1, 4000).Select(type => new HeaderExtension((uint)type, []))],
        }.Build().ToBytes();
        using Qcow2Chain chain = await Qcow2Chain.OpenAsync(new MemoryStream(image));
        Assert.Equal(Enumerable.Range(1, 4000), chain.Layers[0].Header!.Extensions.Select(extension => (int)extension.Type));
    }

    [Fact]
    public void ShortHeader_TakesOneRead()
    {
        byte[] image = new Qcow2Builder { Size = 1 << 20, Clusters = [GuestClusters.Data(0, 1)] }.Build().ToBytes();
        using TrackedStream stream = new(image);
        using var chain = Qcow2Chain.Open(stream);
        Assert.Equal([(0L, 4096)], stream.Reads);
    }

    [Fact]
    public void BackingNameThatIsNotUtf8_ShowsReplacementCharacters()
    {
        byte[] bytes = new byte[1024];
        Hex(Version3).CopyTo(bytes, 0);
        Hex("62 ff 73 65 c0 c0 c0 c0 65").CopyTo(bytes, 0x190);
        Assert.Equal("b\uFFFDse\uFFFD\uFFFD\uFFFD\uFFFDe", Parse(bytes)!.BackingFile);
    }

    private static Qcow2Header? Parse(byte[] start) => Qcow2HeaderParser.Parse(start, FileLength, Qcow2OpenOptions.Default.HeaderLimits, "image", out _);

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
