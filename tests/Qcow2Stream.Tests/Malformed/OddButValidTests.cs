using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>What looks wrong and is not: these images must read as QEMU reads them.</summary>
public class OddButValidTests
{
    private const int ClusterSize = 4096;
    private const ulong Copied = 1UL << 63;

    [Fact]
    public void L1TableLargerThanNeeded_Reads()
    {
        Qcow2Image image = Plain(l1Size: 500);
        Assert.Equal(500, image.L1Size);
        CheckReads(image, image.ToBytes());
    }

    [Fact]
    public void EntriesBehindTheDisk_AreNotLookedAt()
    {
        Qcow2Image image = Plain(l1Size: 5);
        byte[] bytes = image.ToBytes();
        bytes.WriteU64(image.L1EntryOffset(1), ulong.MaxValue).WriteU64(image.L2EntryOffset(500), ulong.MaxValue);
        CheckReads(image, bytes);
    }

    [Theory]
    [InlineData(2u)]
    [InlineData(3u)]
    public void EmptyDisk_Opens(uint version)
    {
        Qcow2Image image = new Qcow2Builder { Version = version, ClusterBits = 12, Size = 0 }.Build();
        Assert.Equal(0, image.L1Size);
        using var chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()));
        Assert.Equal(0, chain.Length);
        Assert.Empty(chain.Map());
        Assert.Equal(0, chain.ReadAt(0, new byte[1]));
    }

    [Fact]
    public void BackingNameOfNoLength_IsNoBackingFile()
    {
        Qcow2Image image = Plain();
        using Qcow2Chain chain = CheckReads(image, image.ToBytes().WriteU64(HeaderField.BackingFileOffset, 200));
        Assert.Null(chain.Layers[0].Header!.BackingFile);
    }

    [Fact]
    public void BackingNameLengthWithoutAnOffset_IsNoBackingFile()
    {
        Qcow2Image image = Plain();
        using Qcow2Chain chain = CheckReads(image, image.ToBytes().WriteU32(HeaderField.BackingFileSize, 0xFFFFFFFF));
        Assert.Null(chain.Layers[0].Header!.BackingFile);
    }

    [Fact]
    public void Version2WithExtensions_ReadsThemFromByte72()
    {
        // The bytes that version 3 keeps its features in.
        Qcow2Image image = Plain(version: 2, extensions: [new HeaderExtension(0xFFFFFFFF, GuestDisk.Filled(64, 0xFF))]);
        using Qcow2Chain chain = CheckReads(image, image.ToBytes());
        Qcow2Header header = chain.Layers[0].Header!;
        Assert.Equal(80, Assert.Single(header.Extensions).Offset);
        Assert.Equal(Qcow2IncompatibleFeatures.None, header.IncompatibleFeatures);
        Assert.Equal(0UL, header.CompatibleFeatures);
        Assert.Equal(0UL, header.AutoclearFeatures);
        Assert.Equal(72, header.HeaderLength);
        Assert.Equal(16, header.RefcountBits);
    }

    [Fact]
    public void UnknownCompatibleAndAutoclearBits_AreIgnored()
    {
        const ulong RawExternalData = 1 << 1; // known, and wrong here
        Qcow2Image image = Plain();
        CheckReads(image, image.ToBytes()
            .WriteU64(HeaderField.CompatibleFeatures, ulong.MaxValue)
            .WriteU64(HeaderField.AutoclearFeatures, ~RawExternalData));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void DirtyAndCorruptBits_DoNotForbidReading(ulong bits)
    {
        Qcow2Image image = Plain();
        using Qcow2Chain chain = CheckReads(image, image.ToBytes().WriteU64(HeaderField.IncompatibleFeatures, bits));
        Assert.Equal((Qcow2IncompatibleFeatures)bits, chain.Layers[0].Header!.IncompatibleFeatures);
    }

    [Fact]
    public void CopiedFlagsWrong_AreIgnored()
    {
        Qcow2Image image = Plain();
        byte[] bytes = image.ToBytes();
        foreach (long place in Entries(image))
        {
            bytes.WriteU64(place, bytes.ReadU64(place) ^ Copied);
        }

        CheckReads(image, bytes);
    }

    [Fact]
    public void ReservedBits_AreIgnored()
    {
        const ulong ReservedInL1 = 0x7F00_0000_0000_01FF;
        const ulong ReservedInL2 = 0x3F00_0000_0000_01FE;
        Qcow2Image image = Plain();
        byte[] bytes = image.ToBytes();
        bytes.WriteU64(image.L1EntryOffset(0), bytes.ReadU64(image.L1EntryOffset(0)) | ReservedInL1);
        foreach (long place in Entries(image).Skip(1))
        {
            bytes.WriteU64(place, bytes.ReadU64(place) | ReservedInL2);
        }

        CheckReads(image, bytes);
    }

    [Fact]
    public void RefcountsOverwritten_AreNotNeeded()
    {
        Qcow2Image image = Plain();
        CheckReads(image, image.ToBytes()
            .WriteU64(HeaderField.RefcountTableOffset, ulong.MaxValue)
            .WriteU32(HeaderField.RefcountTableClusters, uint.MaxValue)
            .WriteU32(HeaderField.NbSnapshots, uint.MaxValue)
            .WriteU64(HeaderField.SnapshotsOffset, ulong.MaxValue));
    }

    [Theory]
    [InlineData(3 * ClusterSize, 3 * ClusterSize)]
    [InlineData((3 * ClusterSize) + 1, 3 * ClusterSize)]
    [InlineData((3 * ClusterSize) + 511, 3 * ClusterSize)]
    [InlineData((3 * ClusterSize) + 512, (3 * ClusterSize) + 512)]
    [InlineData(511, 0)]
    public void SizeBetweenSectors_IsRoundedDown(long size, long expected)
    {
        byte[] bytes = Plain().ToBytes().WriteU64(HeaderField.Size, (ulong)size);
        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        Assert.Equal(expected, chain.Length);
        Assert.Equal(size, chain.Layers[0].Header!.Size);
        Assert.Equal(expected, chain.Map().Sum(extent => extent.Length));
        Assert.Equal((int)expected, chain.ReadAt(0, new byte[4 * ClusterSize]));
    }

    [Fact]
    public void DataClusterOfTwoEntries_ReadsTwice()
    {
        Qcow2Image image = new Qcow2Builder { ClusterBits = 12, Size = 2 * ClusterSize, Clusters = [GuestClusters.Data(0, 0x33)] }.Build();
        byte[] bytes = image.ToBytes();
        bytes.WriteU64(image.L2EntryOffset(1), bytes.ReadU64(image.L2EntryOffset(0)));

        using var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        Assert.Equal(2, chain.Map().ToArray().Length);
        Assert.Equal(GuestDisk.Filled(2 * ClusterSize, 0x33), chain.ReadWholeDisk());
    }

    [Fact]
    public void ExtensionOfNoLength_IsSkipped()
    {
        Qcow2Image image = Plain(extensions: [new HeaderExtension(0x1111, []), new HeaderExtension(0x2222, [1, 2, 3])]);
        using Qcow2Chain chain = CheckReads(image, image.ToBytes());
        Assert.Equal([0x1111u, 0x2222u], chain.Layers[0].Header!.Extensions.Select(extension => extension.Type));
        Assert.Equal([0, 3], chain.Layers[0].Header!.Extensions.Select(extension => extension.Data.Length));
    }

    [Fact]
    public void BackingFormatOfNoLength_IsNoFormat()
    {
        // QEMU looks at the magic then.
        Qcow2Image image = new Qcow2Builder { ClusterBits = 12, Size = ClusterSize, BackingFile = "base", BackingFormat = "" }.Build();
        FollowPolicy follow = FollowPolicy.FromResolver(_ => new MemoryStream(GuestDisk.Filled(ClusterSize, 0x5A)));
        using var chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()), new() { Follow = follow });
        Assert.Equal(ImageFormat.Raw, chain.Layers[1].Format);
        Assert.Equal(GuestDisk.Filled(ClusterSize, 0x5A), chain.ReadWholeDisk());
    }

    [Fact]
    public void BackingFormatWithZerosBehindIt_EndsAtTheFirst()
    {
        // QEMU reads it as a C string.
        byte[] below = Plain().ToBytes();
        Qcow2Image image = new Qcow2Builder { ClusterBits = 12, Size = ClusterSize, BackingFile = "base", BackingFormat = "raw\0\0\0" }.Build();
        FollowPolicy follow = FollowPolicy.FromResolver(_ => new MemoryStream(below));
        using var chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()), new() { Follow = follow });
        Assert.Equal(ImageFormat.Raw, chain.Layers[1].Format);
    }

    [Fact]
    public void ExtensionsUpToTheEndOfTheCluster_NeedNoEndMark()
    {
        // Header 112, the extension's head 8, its data to the last byte of the cluster.
        Qcow2Image image = Plain();
        CheckReads(image, image.ToBytes().WriteU32(112, 0x1111).WriteU32(116, ClusterSize - 120));
    }

    [Fact]
    public void Qcow2RecordedAsRaw_IsReadAsRaw()
    {
        using TempDirectory directory = new();
        byte[] below = Plain().ToBytes();
        directory.Write("base", below);
        string path = directory.Write("top.qcow2", new Qcow2Builder
        {
            ClusterBits = 12,
            Size = below.Length,
            BackingFile = "base",
            BackingFormat = "raw",
        }.Build().ToBytes());

        using var chain = Qcow2Chain.Open(path);
        Assert.Equal(ImageFormat.Raw, chain.Layers[1].Format);
        Assert.Equal(below, chain.ReadWholeDisk());
    }

    [Fact]
    public void LastByteOfTheLastCluster_MayBeMissing()
    {
        const long HostOffset = 64 * ClusterSize;
        byte[] bytes = new Qcow2Builder
        {
            ClusterBits = 12,
            Size = ClusterSize,
            Clusters = [GuestClusters.Data(0, 0x66, hostOffset: HostOffset)],
        }.Build().ToBytes();
        using var chain = Qcow2Chain.Open(new MemoryStream(bytes.Truncate(HostOffset + 1)));

        byte[] expected = new byte[ClusterSize];
        expected[0] = 0x66;
        Assert.Equal(expected, chain.ReadWholeDisk());
        Assert.Equal(new byte[100], chain.ReadRange(2000, 100));
    }

    [Fact]
    public async Task LargestDisk_IsMappedAndRead()
    {
        // 2^63 - 512 bytes: an L1 table of 128 MiB, which the file holds as a hole.
        using TempDirectory directory = new();
        string path = directory.File("huge.qcow2");
        const long Size = long.MaxValue & ~511L;
        const int ClusterBits = 21;
        const int L1Offset = 1 << ClusterBits;
        const int L1Size = 1 << (63 - 39);
        const long Table = L1Offset + (L1Size * 8L);
        byte[] header = new Qcow2Builder { ClusterBits = ClusterBits, Size = 0 }.Build().ToBytes()[..512];
        header.WriteU64(HeaderField.Size, Size).WriteU64(HeaderField.L1TableOffset, L1Offset).WriteU32(HeaderField.L1Size, L1Size);
        await using (FileStream file = File.Create(path))
        {
            file.Write(header);
            file.Position = L1Offset;
            file.Write(new byte[8].WriteU64(0, Table));
            file.SetLength(Table + L1Offset);
        }

        using var chain = Qcow2Chain.Open(path, new() { MaxL1TableBytes = L1Size * 8 });
        Assert.Equal(Size, chain.Length);
        Assert.Equal(new byte[512], chain.ReadRange(Size - 512, 512));

        // A run of no length would keep the map from ending.
        Assert.InRange(chain.Inner.Translator.Translate(0, Size).Length, 1, Size);
        MapExtent extent = Assert.Single(chain.Map());
        Assert.Equal((0, Size, MapKind.Unallocated), (extent.Start, extent.Length, extent.Kind));
    }

    [Fact]
    public void LongestRawFile_KeepsItsLength()
    {
        using TrackedStream stream = new(new byte[512], claimedLength: long.MaxValue);
        using var chain = Qcow2Chain.Open(stream, new() { Format = ImageFormat.Raw });
        Assert.InRange(chain.Length, long.MaxValue - 511, long.MaxValue);
    }

    private static Qcow2Image Plain(uint version = 3, int? l1Size = null, HeaderExtension[]? extensions = null) => new Qcow2Builder
    {
        Version = version,
        ClusterBits = 12,
        Size = 8 * ClusterSize,
        L1Size = l1Size,
        Extensions = extensions ?? [],
        Clusters =
        [
            GuestClusters.Data(0, Encoding.ASCII.GetBytes("first")),
            GuestClusters.Data(1, 0x11),
            GuestClusters.Data(4, 0x44, count: 2),
        ],
    }.Build();

    private static IEnumerable<long> Entries(Qcow2Image image) =>
        [image.L1EntryOffset(0), .. Enumerable.Range(0, 8).Select(cluster => image.L2EntryOffset(cluster))];

    private static Qcow2Chain CheckReads(Qcow2Image image, byte[] bytes)
    {
        var chain = Qcow2Chain.Open(new MemoryStream(bytes));
        Assert.Equal(image.ExpectedContent(), chain.ReadWholeDisk());
        return chain;
    }
}
