using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Layers;

public sealed class MalformedQcow1Tests
{
    private static readonly Qcow1Image Image = Qcow1Image.Make(backingFile: "base");

    public static TheoryData<int, ulong, int, string> Fields => new()
    {
        { Qcow1Image.SizeField, 0, 8, "size is 0" },
        { Qcow1Image.SizeField, 1, 8, "size is 1" },
        { Qcow1Image.SizeField, ulong.MaxValue, 8, "below 2^63" },
        { Qcow1Image.SizeField, 1UL << 40, 8, "MaxL1TableBytes" },
        { Qcow1Image.SizeField, 1UL << 25, 8, "does not lie inside the file" },
        { Qcow1Image.ClusterBitsField, 8, 1, "cluster_bits is 8" },
        { Qcow1Image.ClusterBitsField, 17, 1, "cluster_bits is 17" },
        { Qcow1Image.L2BitsField, 5, 1, "l2_bits is 5" },
        { Qcow1Image.L2BitsField, 14, 1, "l2_bits is 14" },
        { Qcow1Image.CryptField, 2, 4, "crypt_method 2 is not known" },
        { Qcow1Image.L1OffsetField, ulong.MaxValue, 8, "does not lie inside the file" },
        { Qcow1Image.L1OffsetField, 1UL << 63, 8, "does not lie inside the file" },
        { Qcow1Image.L1OffsetField, 1UL << 20, 8, "does not lie inside the file" },
        { Qcow1Image.BackingOffset, ulong.MaxValue, 8, "backing file name" },
        { Qcow1Image.BackingOffset, 1UL << 20, 8, "backing file name" },
        { Qcow1Image.BackingLength, 1024, 4, "MaxBackingFileNameBytes allows 1023" },
        { Qcow1Image.BackingLength, uint.MaxValue, 4, "MaxBackingFileNameBytes allows 1023" },
    };

    public static TheoryData<int, ulong, string> Entries => new()
    {
        { Image.L1Offset, 1UL << 30, "L2 table offset 0x40000000 does not lie inside" },
        { Image.L1Offset, ulong.MaxValue, "L2 table offset 0xffffffffffffffff does not lie inside" },
        { Image.L1Offset, (ulong)Image.Bytes.Length - 8, "does not lie inside" },
        { Image.DataEntry, 0x601, "not sector-aligned" },
        { Image.DataEntry, 1UL << 30, "lies past the end of the file" },
        { Image.DataEntry, 0x7FFF_FFFF_FFFF_FE00, "past the end of any file" },
        { Image.DataEntry, (1UL << 63) | (1UL << 40), "compressed cluster offset 0x10000000000 lies past the end" },
        { Image.DataEntry, (1UL << 63) | 0x600, "the deflate data is broken" },
        { Image.DataEntry, ulong.MaxValue, "lies past the end of the file" },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public void BadHeaderField_IsRefusedByName(int offset, ulong value, int width, string expected)
    {
        byte[] bytes = [.. Image.Bytes];
        _ = width == 8 ? bytes.WriteU64(offset, value) : width == 4 ? bytes.WriteU32(offset, (uint)value) : bytes.WriteU8(offset, (byte)value);
        Qcow2Exception error = Assert.ThrowsAny<Qcow2Exception>(() => Open(bytes));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.HostOffset);
    }

    [Theory]
    [MemberData(nameof(Entries))]
    public void BadTableEntry_FailsItsOwnRangeOnly(int offset, ulong value, string expected)
    {
        byte[] bytes = [.. Image.Bytes];
        bytes.WriteU64(offset, value);
        using Qcow2Chain chain = Open(bytes);
        byte[] sector = new byte[512];
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.ReadAt(0, sector));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, error.GuestOffset);
        Assert.Equal(512, chain.ReadAt(Image.Content.Length - 512, sector));
        Assert.Equal(Image.Content[^512..], sector);
    }

    [Fact]
    public void TableEntries_InLenientMode_NeverEscapeTheExceptions()
    {
        ulong[] values = [1, 0x1FF, 0x200, 1UL << 30, 1UL << 61, 1UL << 62, long.MaxValue - 511, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 511];
        foreach (int offset in new[] { Image.L1Offset, Image.DataEntry, Image.CompressedEntry })
        {
            foreach (ulong value in values)
            {
                byte[] bytes = [.. Image.Bytes];
                bytes.WriteU64(offset, value);
                ReadAll(bytes, lenient: true);
                ReadAll(bytes, lenient: false);
            }
        }
    }

    [Fact]
    public void EveryTruncation_IsAnErrorOrTheWholeDisk()
    {
        for (int length = 0; length < Image.Bytes.Length; length++)
        {
            byte[] bytes = Image.Bytes[..length];
            ReadAll(bytes, lenient: true);
            bool complete = ReadAll(bytes, lenient: false) is { } disk && disk.AsSpan().SequenceEqual(Image.Content);
            Assert.False(complete && length < 6 * 512, $"{length} bytes can't be enough");
        }
    }

    [Fact]
    public void EveryFlippedByte_IsAnErrorOrADisk()
    {
        for (int offset = 0; offset < Image.DataEntry + 512; offset++)
        {
            foreach (byte value in new byte[] { 0, 1, 0x7F, 0x80, 0xFF })
            {
                byte[] bytes = [.. Image.Bytes];
                bytes[offset] = value;
                ReadAll(bytes, lenient: false);
            }
        }
    }

    private static Qcow2Chain Open(byte[] bytes, bool lenient = false) => Qcow2Chain.Open(
        new MemoryStream(bytes),
        new Qcow2OpenOptions { Follow = FollowPolicy.FromResolver(_ => new MemoryStream(new byte[512])), Lenient = lenient });

    /// <summary>Reads and maps all of it; null if that ends in one of the library's own exceptions.</summary>
    private static byte[]? ReadAll(byte[] bytes, bool lenient)
    {
        const int MostBytes = 1 << 20;
        try
        {
            using Qcow2Chain chain = Open(bytes, lenient);
            Assert.True(chain.Map().Take(1000).All(e => e.Length > 0));
            byte[] disk = new byte[Math.Min(chain.Length, MostBytes)];
            chain.ReadAt(0, disk);
            return disk;
        }
        catch (Qcow2Exception)
        {
            return null;
        }
    }
}
