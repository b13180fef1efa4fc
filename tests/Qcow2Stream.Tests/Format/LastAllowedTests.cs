using Qcow2Stream.Format;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Format;

/// <summary>The last value that each bound allows is allowed; what lies beyond it is refused elsewhere.</summary>
public sealed class LastAllowedTests
{
    private const int SmallCluster = 512;
    private const int FirstExtension = 112;
    private const uint Unknown = 0xABCD;

    private static readonly HeaderLimits Limits = Qcow2OpenOptions.Default.HeaderLimits;

    [Fact]
    public void HeaderAsLongAsTheFirstCluster_IsRead()
    {
        byte[] header = Empty(SmallCluster).WriteU32(HeaderField.HeaderLength, SmallCluster);
        Assert.Equal(SmallCluster, Parse(header).HeaderLength);
    }

    [Fact]
    public void BackingNameThatEndsTheClusterAndTheFile_IsRead()
    {
        byte[] header = Empty(SmallCluster).WriteU64(HeaderField.BackingFileOffset, SmallCluster - 4).WriteU32(HeaderField.BackingFileSize, 4)
            .WriteBytes(SmallCluster - 4, "base"u8);
        Assert.Equal("base", Parse(header).BackingFile);
    }

    [Fact]
    public void BackingNameOfNoLengthAtTheEndOfTheCluster_IsNone()
    {
        byte[] header = Empty(SmallCluster).WriteU64(HeaderField.BackingFileOffset, SmallCluster);
        Assert.Null(Parse(header).BackingFile);
    }

    [Fact]
    public void BackingNameOf1023Bytes_IsRead()
    {
        byte[] header = Empty(4096).WriteU64(HeaderField.BackingFileOffset, 200).WriteU32(HeaderField.BackingFileSize, 1023);
        header.AsSpan(200, 1023).Fill((byte)'n');
        Assert.Equal(new string('n', 1023), Parse(header).BackingFile);
    }

    [Fact]
    public void BackingFormatOf15Bytes_IsRead()
    {
        byte[] header = Empty(SmallCluster).WriteU32(FirstExtension, HeaderExtension.BackingFormat).WriteU32(FirstExtension + 4, 15)
            .WriteBytes(FirstExtension + 8, "fifteen-letters"u8);
        Assert.Equal("fifteen-letters", Parse(header).BackingFormat);
    }

    [Fact]
    public void FileThatEndsBehindTheEndMark_HasAHeader() => Assert.Empty(Parse(Empty(4096)[..(FirstExtension + 8)]).Extensions);

    [Fact]
    public void ExtensionThatEndsTheClusterAndTheFile_IsRead()
    {
        byte[] header = Empty(SmallCluster).WriteU32(FirstExtension, Unknown).WriteU32(FirstExtension + 4, SmallCluster - FirstExtension - 8);
        Assert.Equal(SmallCluster - FirstExtension - 8, Assert.Single(Parse(header).Extensions).Data.Length);
    }

    [Fact]
    public void ExtensionOfNoLengthInTheLastEightBytes_IsRead()
    {
        byte[] header = Empty(SmallCluster).WriteU32(FirstExtension, Unknown).WriteU32(FirstExtension + 4, SmallCluster - FirstExtension - 16)
            .WriteU32(SmallCluster - 8, Unknown);
        Assert.Equal(2, Parse(header).Extensions.Count);
    }

    [Fact]
    public void LargestSizeAndTheL1TableThatEndsTheFile_AreRead()
    {
        const int L1Bytes = 128 << 20;
        const long FileLength = (1L << 21) + L1Bytes;
        byte[] header = Empty(4096).WriteU32(HeaderField.ClusterBits, 21).WriteU64(HeaderField.Size, long.MaxValue)
            .WriteU32(HeaderField.L1Size, L1Bytes / 8).WriteU64(HeaderField.L1TableOffset, 1 << 21);
        HeaderLimits limits = (Qcow2OpenOptions.Default with { MaxL1TableBytes = L1Bytes }).HeaderLimits;
        Assert.Equal(long.MaxValue, Qcow2HeaderParser.Parse(header, FileLength, limits, null, out _)!.Size);
        Assert.Throws<Qcow2FormatException>(() => Qcow2HeaderParser.Parse(header, FileLength - 1, limits, null, out _));
        limits = (Qcow2OpenOptions.Default with { MaxL1TableBytes = L1Bytes - 1 }).HeaderLimits;
        Assert.Throws<Qcow2UnsupportedException>(() => Qcow2HeaderParser.Parse(header, FileLength, limits, null, out _));
    }

    [Fact]
    public void LuksHeaderThatEndsTheFile_IsFound()
    {
        byte[] header = Empty(4096).WriteU32(HeaderField.CryptMethod, 2).WriteU32(FirstExtension, HeaderExtension.FullDiskEncryption)
            .WriteU32(FirstExtension + 4, 16).WriteU64(FirstExtension + 8, 4096).WriteU64(FirstExtension + 16, 1000);
        Qcow2Header parsed = Parse(header);
        Assert.Equal(new EncryptionExtension(4096, 1000), EncryptionExtension.Parse(parsed, parsed.Geometry, 5096, null));
        Assert.Throws<Qcow2FormatException>(() => EncryptionExtension.Parse(parsed, parsed.Geometry, 5095, null));
    }

    [Theory]
    [InlineData(0, 4, 100, null)]
    [InlineData(8, 5, 100, null)]
    [InlineData(16, 5, 6, null)]
    [InlineData(24, 5, 6, 7L)]
    [InlineData(1024, 5, 6, 7L)]
    public void SnapshotsExtraData_TellsWhatItIsLongEnoughFor(int extra, long stateSize, long diskSize, long? instructions)
    {
        byte[] entry = SnapshotWith(extra);
        Assert.Equal(entry.Length, SnapshotEntry.LengthOf(entry, null, 0));
        Qcow2Snapshot snapshot = SnapshotEntry.Parse(entry, activeSize: 100, null, 0);
        Assert.Equal((stateSize, diskSize, instructions), (snapshot.VmStateSize, snapshot.DiskSize, snapshot.InstructionCount));
        Assert.Equal(("i", "n"), (snapshot.Id, snapshot.Name));
    }

    [Fact]
    public void SnapshotsExtraDataOf1025Bytes_IsRefused() =>
        Assert.Throws<Qcow2FormatException>(() => SnapshotEntry.LengthOf(SnapshotWith(1025), null, 0));

    [Fact]
    public void SnapshotOfTheLargestSizes_IsRead()
    {
        byte[] entry = SnapshotWith(16).WriteU64(40, long.MaxValue).WriteU64(48, long.MaxValue);
        Assert.Equal(long.MaxValue, SnapshotEntry.Parse(entry, 0, null, 0).DiskSize);
        Assert.Throws<Qcow2FormatException>(() => SnapshotEntry.Parse(entry.WriteU64(48, 1UL << 63), 0, null, 0));
        Assert.Throws<Qcow2FormatException>(() => SnapshotEntry.Parse(entry.WriteU64(48, 0).WriteU64(40, 1UL << 63), 0, null, 0));
    }

    [Theory]
    [InlineData(40, 40)]
    [InlineData(41, 48)]
    [InlineData(47, 48)]
    [InlineData(48, 48)]
    public void SnapshotEntries_StartAtMultiplesOfEight(int length, int next) => Assert.Equal(next, SnapshotEntry.Padded(length));

    /// <summary>The bytes of a name that is not there yet are asked for, and no more is made of those that are.</summary>
    [Fact]
    public void BackingNameBehindTheBytesGiven_IsAskedFor()
    {
        byte[] image = new Qcow2Builder { ClusterBits = 12, Size = 4096, BackingFile = "base.raw", BackingFormat = "raw" }.Build().ToBytes();
        int nameEnd = (int)(image.ReadU64(HeaderField.BackingFileOffset) + image.ReadU32(HeaderField.BackingFileSize));
        Assert.Null(Qcow2HeaderParser.Parse(image.AsSpan(0, nameEnd - 1), image.Length, Limits, null, out int needed));
        Assert.Equal(4096, needed);
        Assert.Equal("base.raw", Qcow2HeaderParser.Parse(image.AsSpan(0, nameEnd), image.Length, Limits, null, out _)!.BackingFile);
    }

    [Theory]
    [InlineData(9, 1, 1u, true)]
    [InlineData(31, 1023, 0x800_0000u, true)]
    [InlineData(8, 1, 1u, false)]
    [InlineData(32, 1, 1u, false)]
    [InlineData(16, 1024, 1u, false)]
    [InlineData(16, 0, 1u, false)]
    [InlineData(16, 1, 0x800_0001u, false)]
    [InlineData(16, 1, 0u, false)]
    public void BitmapEntry_HasBounds(int granularityBits, int nameLength, uint tableSize, bool isAllowed)
    {
        byte[] entry = BitmapWithTableAt(512).WriteU32(8, tableSize).WriteU8(17, (byte)granularityBits).WriteU16(18, (ushort)nameLength);
        Exception? thrown = Record.Exception(() => BitmapEntry.Parse(entry, new byte[nameLength], new Geometry(9), null, 0));
        Assert.Equal(isAllowed, thrown is null);
        Assert.Equal((24 + nameLength + 7) / 8 * 8, BitmapEntry.LengthOf(entry));
    }

    [Theory]
    [InlineData(512UL, true)]
    [InlineData(0x7FFF_FFFF_FFFF_FE00UL, true)]
    [InlineData(0UL, false)]
    [InlineData(513UL, false)]
    [InlineData(0x8000_0000_0000_0000UL, false)]
    public void BitmapTable_StartsWithAClusterBelow2To63(ulong offset, bool isAllowed)
    {
        byte[] entry = BitmapWithTableAt(offset);
        Exception? thrown = Record.Exception(() => BitmapEntry.Parse(entry, "b"u8, new Geometry(9), null, 0));
        Assert.Equal(isAllowed ? null : typeof(Qcow2FormatException), thrown?.GetType());
    }

    /// <summary>Flag 2 says that extra data may be ignored.</summary>
    [Theory]
    [InlineData(8u, 0u, false)]
    [InlineData(8u, 4u, true)]
    [InlineData(0u, 4u, true)]
    public void BitmapsExtraData_MustBeSaidToBeOptional(uint length, uint flags, bool isAllowed)
    {
        byte[] entry = BitmapWithTableAt(512).WriteU32(12, flags).WriteU32(20, length);
        Exception? thrown = Record.Exception(() => BitmapEntry.Parse(entry, "b"u8, new Geometry(9), null, 0));
        Assert.Equal(isAllowed ? null : typeof(Qcow2UnsupportedException), thrown?.GetType());
    }

    [Theory]
    [InlineData(9, 6, true)]
    [InlineData(16, 13, true)]
    [InlineData(8, 6, false)]
    [InlineData(17, 13, false)]
    [InlineData(9, 5, false)]
    [InlineData(16, 14, false)]
    public void Qcow1Geometry_HasBounds(int clusterBits, int l2Bits, bool isAllowed)
    {
        byte[] header = Qcow1().WriteU8(32, (byte)clusterBits).WriteU8(33, (byte)l2Bits);
        Assert.Equal(isAllowed, Record.Exception(() => Qcow1Header.Parse(header, 64, Limits, null)) is null);
    }

    [Fact]
    public void Qcow1L1TableAndNameThatEndTheFile_AreRead()
    {
        byte[] header = Qcow1().WriteU64(40, 56).WriteU64(8, 48).WriteU32(16, 16);
        HeaderLimits limits = (Qcow2OpenOptions.Default with { MaxL1TableBytes = 8, MaxBackingFileNameBytes = 16 }).HeaderLimits;
        Qcow1Header parsed = Qcow1Header.Parse(header, 64, limits, null);
        Assert.Equal((56, 16), (parsed.L1TableOffset, parsed.BackingNameLength));
        Assert.Throws<Qcow2FormatException>(() => Qcow1Header.Parse(header, 63, limits, null));
        Assert.Throws<Qcow2FormatException>(() => Qcow1Header.Parse(Qcow1().WriteU64(40, 56), 63, limits, null));
        Assert.Throws<Qcow2FormatException>(() => Qcow1Header.Parse(header.WriteU32(16, 17), 100, limits, null));
    }

    /// <summary>The header of an image of version 3 with a disk of no length: no more is there of it than its first cluster.</summary>
    private static byte[] BitmapWithTableAt(ulong offset) =>
        new byte[24].WriteU64(0, offset).WriteU32(8, 1).WriteU8(16, 1).WriteU8(17, 16).WriteU16(18, 1);

    private static byte[] Empty(int clusterSize) =>
        new Qcow2Builder { ClusterBits = clusterSize == SmallCluster ? 9 : 12, Size = 0, L1Size = 0 }.Build().ToBytes()[..clusterSize];

    private static Qcow2Header Parse(byte[] header)
    {
        Qcow2Header? parsed = Qcow2HeaderParser.Parse(header, header.Length, Limits, null, out _);
        Assert.NotNull(parsed);
        return parsed;
    }

    private static byte[] SnapshotWith(int extra)
    {
        byte[] words = new byte[Math.Max(extra, 24)].WriteU64(0, 5).WriteU64(8, 6).WriteU64(16, 7);
        byte[] fixedPart = new byte[40].WriteU16(12, 1).WriteU16(14, 1).WriteU32(32, 4).WriteU32(36, (uint)extra);
        return [.. fixedPart, .. words.AsSpan(0, extra), (byte)'i', (byte)'n'];
    }

    private static byte[] Qcow1() =>
        new byte[64].WriteU32(0, 0x514649FB).WriteU32(4, 1).WriteU64(24, 512).WriteU8(32, 9).WriteU8(33, 6).WriteU64(40, 48);
}
