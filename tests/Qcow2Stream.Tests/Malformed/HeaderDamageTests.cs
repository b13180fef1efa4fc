using System.Text;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>One field of a good image's header is changed; the image must not open, and the error must say why.</summary>
public class HeaderDamageTests
{
    private const int FirstExtension = 112;
    private const int ClusterSize = 4096;

    private static readonly Type Broken = typeof(Qcow2FormatException);
    private static readonly Type Unsupported = typeof(Qcow2UnsupportedException);

    private static readonly Damage[] Rows =
    [
        new("magic", () => Plain().WriteU8(HeaderField.Magic + 3, 0xFA), Broken, "magic of qcow2", HeaderField.Magic), // asked for as qcow2, so it can't be raw
        new("empty file", () => [], Broken, "magic of qcow2", 0), // a download that never began
        new("version 0", () => Plain().WriteU32(HeaderField.Version, 0), Broken, "version is 0", HeaderField.Version), // never existed
        new("version 1", () => Plain().WriteU32(HeaderField.Version, 1), Unsupported, "qcow (version 1)", HeaderField.Version), // the format before, with the same magic
        new("version 4", () => Plain().WriteU32(HeaderField.Version, 4), Unsupported, "qcow2 version 4", HeaderField.Version), // not yet
        new("version huge", () => Plain().WriteU32(HeaderField.Version, 0xFFFFFFFF), Unsupported, "qcow2 version 4294967295", HeaderField.Version), // isn't a negative number
        new("cluster_bits 8", () => Plain().WriteU32(HeaderField.ClusterBits, 8), Broken, "cluster_bits is 8; it must be from 9 to 21", HeaderField.ClusterBits), // one below the smallest
        new("cluster_bits 22", () => Plain().WriteU32(HeaderField.ClusterBits, 22), Broken, "cluster_bits is 22", HeaderField.ClusterBits), // one above the largest
        new("cluster_bits 0x8000000C", () => Plain().WriteU32(HeaderField.ClusterBits, 0x8000000C), Broken, "cluster_bits is 2147483660", HeaderField.ClusterBits), // 12, were the sign cut off
        new("header_length 96", () => Plain().WriteU32(HeaderField.HeaderLength, 96), Broken, "header_length is 96", HeaderField.HeaderLength), // shorter than version 3's fields
        new("header_length 108", () => Plain().WriteU32(HeaderField.HeaderLength, 108), Broken, "header_length is 108", HeaderField.HeaderLength), // no multiple of 8
        new("header_length 4104", () => Plain().WriteU32(HeaderField.HeaderLength, ClusterSize + 8), Broken, "to the cluster size 4096", HeaderField.HeaderLength), // longer than the first cluster
        new("header_length 0xFFFFFFF8", () => Plain().WriteU32(HeaderField.HeaderLength, 0xFFFFFFF8), Broken, "header_length is 4294967288", HeaderField.HeaderLength), // negative, were it an int
        new("refcount_order 7", () => Plain().WriteU32(HeaderField.RefcountOrder, 7), Broken, "refcount_order is 7; it must be at most 6", HeaderField.RefcountOrder), // refcounts of 128 bits
        new("size 2^63", () => Plain().WriteU64(HeaderField.Size, 1UL << 63), Broken, "size is 9223372036854775808; it must be below 2^63", HeaderField.Size), // no stream can be that long
        new("l1_size over the limit", () => Plain().WriteU32(HeaderField.L1Size, (4 << 20) + 1), Unsupported, "more than the 33554432 that MaxL1TableBytes allows", HeaderField.L1Size), // 32 MiB and one entry
        new("l1_size 2^32 - 1", () => Plain().WriteU32(HeaderField.L1Size, 0xFFFFFFFF), Unsupported, "would take 34359738360 bytes", HeaderField.L1Size), // bytes overflow 32 bits
        new("l1_size too small", () => Plain().WriteU64(HeaderField.Size, (2 << 20) + 512), Broken, "l1_size is 1; a disk of 2097664 bytes needs 2 entries", HeaderField.L1Size), // one L2 table covers 2 MiB
        new("l1_size 0", () => Plain().WriteU32(HeaderField.L1Size, 0), Broken, "l1_size is 0", HeaderField.L1Size), // only an empty disk needs none
        new("l1_table_offset misaligned", () => Plain().WriteU64(HeaderField.L1TableOffset, ClusterSize + 8), Broken, "L1 table offset 0x1008 is not cluster-aligned", HeaderField.L1TableOffset), // tables start with a cluster
        new("l1_table_offset 2^40", () => Plain().WriteU64(HeaderField.L1TableOffset, 1UL << 40), Broken, "(offset 0x10000000000, 8 bytes) does not lie inside the file", HeaderField.L1TableOffset), // the file is a few clusters long
        new("l1_table_offset 2^63", () => Plain().WriteU64(HeaderField.L1TableOffset, 1UL << 63), Broken, "L1 table offset 0x8000000000000000", HeaderField.L1TableOffset), // negative, were it a long
        new("l1_table_offset at the end", () => AtEnd(HeaderField.L1TableOffset), Broken, "does not lie inside the file", HeaderField.L1TableOffset), // aligned, and just past the last byte
        new("l1_size runs past the end", () => Plain().WriteU32(HeaderField.L1Size, 4000), Broken, "32000 bytes) does not lie inside the file", HeaderField.L1TableOffset), // starts inside, ends outside
        new("backing name outside", () => WithBacking().WriteU64(HeaderField.BackingFileOffset, ClusterSize + 1), Broken, "does not lie in the first cluster of 4096 bytes", HeaderField.BackingFileOffset), // starts in the second cluster
        new("backing name crosses", () => WithBacking().WriteU64(HeaderField.BackingFileOffset, ClusterSize - 1), Broken, "(offset 4095, length 8) does not lie in the first cluster", HeaderField.BackingFileOffset), // ends in the second cluster
        new("backing name offset 2^64 - 8", () => WithBacking().WriteU64(HeaderField.BackingFileOffset, ulong.MaxValue - 7), Broken, "does not lie in the first cluster", HeaderField.BackingFileOffset), // offset + length would be 0
        new("backing name of 1024 bytes", () => WithBacking().WriteU32(HeaderField.BackingFileSize, 1024), Broken, "is 1024 bytes long; MaxBackingFileNameBytes allows 1023", HeaderField.BackingFileSize), // one over QEMU's limit
        new("backing name of 2^32 - 1 bytes", () => WithBacking().WriteU32(HeaderField.BackingFileSize, 0xFFFFFFFF), Broken, "length 4294967295) does not lie in the first cluster", HeaderField.BackingFileOffset), // must not be allocated
        new("backing name cut off", () => WithBacking().Truncate(NameEnd() - 1), Broken, $"the header needs {NameEnd()} bytes, but the file ends after {NameEnd() - 1}", NameEnd() - 1), // the file ends inside the name
        new("backing format of 16 bytes", () => WithBacking("sixteen-letters!"), Broken, "header extension 0xe2792aca holds a name of 16 bytes; MaxBackingFormatBytes allows 15", FirstExtension + 8), // one over QEMU's limit
        new("extension over the cluster", () => Plain().WriteU32(FirstExtension + 4, ClusterSize), Broken, "header extension 0x6803f857 is 4096 bytes long, but its area has only 3976 left", FirstExtension), // continues past the first cluster
        new("extension of 2^32 - 1 bytes", () => Plain().WriteU32(FirstExtension + 4, 0xFFFFFFFF), Broken, "is 4294967295 bytes long", FirstExtension), // rounded up to 8 it would be 0
        new("extension over the backing name", () => WithBacking().WriteU32(FirstExtension + 4, 17), Broken, "is 17 bytes long, but its area has only 16 left", FirstExtension), // the area ends at the name
        new("extension cut off", () => Plain().Truncate(FirstExtension + 10), Broken, "the header needs 4096 bytes, but the file ends after 122", FirstExtension + 10), // the file ends inside an extension
        new("unknown incompatible bit", () => Incompatible(6), Unsupported, "not handled: incompatible feature bit 6", HeaderField.IncompatibleFeatures), // the name table does not know it
        new("highest incompatible bit", () => Incompatible(63), Unsupported, "not handled: incompatible feature bit 63", HeaderField.IncompatibleFeatures), // the sign, were it a long
        new("named incompatible bit", () => Incompatible(5), Unsupported, "not handled: plaid (incompatible feature bit 5)", HeaderField.IncompatibleFeatures), // the name table knows it
        new("name with control characters", () => Incompatible(7), Unsupported, @"not handled: red\u001b[31m\u000a (incompatible feature bit 7)", HeaderField.IncompatibleFeatures), // nothing of it reaches a terminal as it is
        new("name of 46 bytes", () => Incompatible(8), Unsupported, $"not handled: {new string('n', 46)} (incompatible", HeaderField.IncompatibleFeatures), // fills its field, with no zero after it
        new("extended L2", () => Incompatible(4), Broken, "with extended L2 entries it must be at least 14", HeaderField.ClusterBits), // a subcluster would be smaller than a sector
        new("raw data without a data file", () => Plain().WriteU64(HeaderField.AutoclearFeatures, 2), Broken, "the image has no external data file", HeaderField.AutoclearFeatures), // the promise has no subject
        new("raw data over a backing file", () => WithBacking().WriteU64(HeaderField.IncompatibleFeatures, 4).WriteU64(HeaderField.AutoclearFeatures, 2), Broken, "the image has a backing file", HeaderField.AutoclearFeatures), // the data file alone would not be the disk
        new("crypt_method 3", () => Plain().WriteU32(HeaderField.CryptMethod, 3), Unsupported, "crypt_method 3 is not known", HeaderField.CryptMethod), // no such method
        new("crypt_method 2^31", () => Plain().WriteU32(HeaderField.CryptMethod, 1u << 31), Unsupported, "crypt_method 2147483648 is not known", HeaderField.CryptMethod), // the sign, were it an int
        new("LUKS header without encryption", () => Plain().WriteU32(FirstExtension, HeaderExtension.FullDiskEncryption), Broken, "crypt_method is 0, but there is a full disk encryption extension", HeaderField.CryptMethod), // encrypted bytes would be the disk's
        new("LUKS header with AES", () => Plain().WriteU32(FirstExtension, HeaderExtension.FullDiskEncryption).WriteU32(HeaderField.CryptMethod, 1), Broken, "crypt_method is 1, but there is a full disk encryption extension", HeaderField.CryptMethod), // the wrong key would make noise of it
        new("compression type without its bit", () => Plain().WriteU8(HeaderField.CompressionType, 1), Broken, "compression_type is 1, but incompatible feature bit 3 is clear", HeaderField.CompressionType), // an old reader would take zstd for deflate
        new("compression bit without a type", () => Incompatible(3), Broken, "compression_type is 0, but incompatible feature bit 3 is set", HeaderField.CompressionType), // deflate needs no bit
        new("compression bit without the field", () => Incompatible(3).WriteU32(HeaderField.HeaderLength, 104).WriteU32(104, 0).WriteU32(108, 0), Broken, "compression_type is 0, but incompatible feature bit 3 is set", HeaderField.CompressionType), // the header ends before it
        new("compression type 2", () => Incompatible(3).WriteU8(HeaderField.CompressionType, 2), Unsupported, "compression_type 2 is not known", HeaderField.CompressionType), // neither deflate nor zstd
        new("compression type 2 without its bit", () => Plain().WriteU8(HeaderField.CompressionType, 2), Broken, "compression_type is 2, but incompatible feature bit 3 is clear", HeaderField.CompressionType), // a mismatch before anything else
        new("header cut in the magic", () => Plain().Truncate(3), Broken, "magic of qcow2", 0), // the magic is not all there
        new("header cut behind the magic", () => Plain().Truncate(4), Broken, "the header needs 72 bytes, but the file ends after 4", 4), // nothing but the magic
        new("header cut before the features", () => Plain().Truncate(72), Broken, "the header needs 104 bytes, but the file ends after 72", 72), // a version 2 header would be complete
        new("header cut before its length", () => Plain().Truncate(104), Broken, "the header needs 112 bytes, but the file ends after 104", 104), // header_length says 112
        new("version 2 header cut", () => Version2().Truncate(71), Broken, "the header needs 72 bytes, but the file ends after 71", 71), // one byte short
    ];

    public static TheoryData<string> Names => new(Rows.Select(row => row.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task DamagedHeader_IsRefusedWithItsPlace(string name)
    {
        using TempDirectory directory = new();
        Damage row = Rows.Single(row => row.Name == name);
        string path = directory.Write("image.qcow2", row.Image());
        Qcow2OpenOptions options = new() { Format = ImageFormat.Qcow2 };

        row.Check(Record.Exception(() => Qcow2Chain.Open(path, options)), path);
        row.Check(await Record.ExceptionAsync(() => Qcow2Chain.OpenAsync(path, options)), path);
    }

    [Fact]
    public void UndamagedImages_Open()
    {
        foreach (byte[] image in new[] { Plain(), Version2(), WithBacking() })
        {
            using var chain = Qcow2Chain.Open(new MemoryStream(image), new() { Follow = FollowPolicy.FromResolver(_ => new MemoryStream()) });
            Assert.Equal(1 << 20, chain.Length);
            Assert.Equal(0x11, chain.ReadRange(0, 1)[0]);
        }
    }

    [Fact]
    public void WrongMagicWithoutAFormat_IsRaw()
    {
        byte[] image = Plain().WriteU8(HeaderField.Magic + 3, 0xFA);
        using var chain = Qcow2Chain.Open(new MemoryStream(image));
        Assert.Equal(ImageFormat.Raw, chain.Layers[0].Format);
        Assert.Equal(image, chain.ReadWholeDisk());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void FileTooShortForTheMagic_IsRaw(int length)
    {
        using var chain = Qcow2Chain.Open(new MemoryStream(Plain().Truncate(length)));
        Assert.Equal(ImageFormat.Raw, chain.Layers[0].Format);
        Assert.Equal(length == 0 ? 0 : 512, chain.Length);
    }

    [Fact]
    public void L1TableLargerThanTheOption_IsRefusedAndSaysSo()
    {
        byte[] image = Plain();
        Qcow2OpenOptions options = new() { MaxL1TableBytes = 7 };
        var error = Assert.Throws<Qcow2UnsupportedException>(() => Qcow2Chain.Open(new MemoryStream(image), options));
        Assert.Contains("MaxL1TableBytes", error.Message, StringComparison.Ordinal);
        Assert.Equal("large L1 table", error.Feature);
        Assert.Null(error.ImagePath);

        Qcow2Chain.Open(new MemoryStream(image), options with { MaxL1TableBytes = 8 }).Dispose();
    }

    [Fact]
    public void FileShorterThanItClaims_EndsInAnError()
    {
        // The extensions continue past the first read, and the file does not.
        byte[] image = new Qcow2Builder
        {
            Size = 1 << 20,
            Extensions = [new HeaderExtension(0x12345678, new byte[6000])],
        }.Build().ToBytes();
        using TrackedStream stream = new(image[..4096], claimedLength: image.Length) { MaxReads = 100 };

        Assert.Throws<Qcow2FormatException>(() => Qcow2Chain.Open(stream));
        Assert.InRange(stream.Reads.Count, 1, 10);
    }

    private static byte[] Plain() => Build(3, []);

    private static byte[] Version2() => Build(2, []);

    private static byte[] Build(uint version, HeaderExtension[] extensions) => new Qcow2Builder
    {
        Version = version,
        ClusterBits = 12,
        Size = 1 << 20,
        Extensions = version == 2 ? extensions : [FeatureNameTable(), .. extensions],
        Clusters = [GuestClusters.Data(0, 0x11)],
    }.Build().ToBytes();

    private static byte[] WithBacking(string format = "raw") => new Qcow2Builder
    {
        ClusterBits = 12,
        Size = 1 << 20,
        BackingFile = "base.raw",
        BackingFormat = format,
        Clusters = [GuestClusters.Data(0, 0x11)],
    }.Build().ToBytes();

    // Header, the format's extension of 8 + 8 bytes, the end of the extensions, "base.raw".
    private static int NameEnd() => FirstExtension + 16 + 8 + 8;

    private static byte[] Incompatible(int bit) => Plain().WriteU64(HeaderField.IncompatibleFeatures, 1UL << bit);

    private static byte[] AtEnd(int field)
    {
        byte[] image = Plain();
        return image.WriteU64(field, (ulong)image.Length);
    }

    private static HeaderExtension FeatureNameTable() => new(
        HeaderExtension.FeatureNameTable,
        [
            .. FeatureName(1, 6, "a compatible one"),
            .. FeatureName(0, 5, "plaid"),
            .. FeatureName(0, 7, "red\e[31m\n"),
            .. FeatureName(0, 8, new string('n', 46)),
        ]);

    private static byte[] FeatureName(byte type, byte bit, string name) =>
        new byte[48].WriteU8(0, type).WriteU8(1, bit).WriteBytes(2, Encoding.UTF8.GetBytes(name));
}
