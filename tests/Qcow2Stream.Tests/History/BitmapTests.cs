using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.History;

/// <summary>Persistent dirty bitmaps.</summary>
public sealed class BitmapTests
{
    private static readonly string Image = Repository.Image("bitmaps.qcow2");

    [Fact]
    public void List_TellsEachBitmap()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        Assert.Equal(
            [("fine", 512L, false, true), ("coarse", 65_536L, false, false), ("unsaved", 4096L, true, true)],
            chain.GetBitmaps().Select(b => (b.Name, b.Granularity, b.IsInUse, b.IsEnabled)));
    }

    [Fact]
    public void DirtyExtents_AreWhatWasWritten()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        Assert.Equal(
            [new StreamExtent(0, 4096), new(9728, 1536), new(307_200, 4096), new(524_288, 131_072), new(1_048_064, 512)],
            chain.GetBitmap("fine").GetDirtyExtents());
    }

    /// <summary>A disabled bitmap has stopped at what came before, in its own granularity.</summary>
    [Fact]
    public void DisabledBitmap_DoesNotHaveLaterWrites()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        Assert.Equal(
            [new StreamExtent(0, 65_536), new(524_288, 131_072), new(983_040, 65_536)],
            chain.GetBitmap("coarse").GetDirtyExtents());
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(100, 9_700)]
    [InlineData(4_096, 5_632)]
    [InlineData(10_000, 520_000)]
    [InlineData(600_000, 1_000_000)]
    [InlineData(2_000_000, 5)]
    public void DirtyExtentsOfARange_AreCutFromTheWhole(long start, long length)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        Qcow2Bitmap bitmap = chain.GetBitmap("fine");
        Assert.Equal(
            StreamExtent.Intersect(bitmap.GetDirtyExtents(), new StreamExtent(start, length)),
            bitmap.GetDirtyExtents(start, length));
    }

    [Fact]
    public void BitmapInUse_IsListedAndRefused()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.GetBitmap("unsaved").GetDirtyExtents().Any());
        Assert.Contains("bitmap 'unsaved': it is in use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownName_ListsThoseThatAre()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image);
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => chain.GetBitmap("nightly"));
        Assert.Contains("no bitmap 'nightly'; there are fine, coarse, unsaved", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Something that does not know bitmaps wrote to the image: they are gone.</summary>
    [Fact]
    public void AutoclearBitGone_MeansNoBitmaps()
    {
        byte[] image = File.ReadAllBytes(Image);
        image.WriteU64(HeaderField.AutoclearFeatures, 0);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        Assert.Empty(chain.GetBitmaps());
    }

    [Theory]
    [InlineData(0, 0x10_0001UL, "not cluster-aligned")]
    [InlineData(8, 0UL, "table has 0 entries")]
    [InlineData(12, 0x80UL, "reserved flags are set")]
    public void BrokenDirectoryEntry_FailsTheListAndNotTheDisk(int field, ulong value, string expected)
    {
        byte[] image = File.ReadAllBytes(Image);
        int entry = DirectoryOffset(image) + field;
        if (field == 0)
        {
            image.WriteU64(entry, value);
        }
        else
        {
            image.WriteU32(entry, (uint)value);
        }

        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(chain.GetBitmaps);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(4096, chain.ReadAt(0, new byte[4096]));
    }

    [Fact]
    public void BrokenTableEntry_FailsThatBitmapAlone()
    {
        byte[] image = File.ReadAllBytes(Image);
        int table = (int)image.ReadU64(DirectoryOffset(image));
        image.WriteU64(table, 0x201);
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image));
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => chain.GetBitmap("fine").GetDirtyExtents().Any());
        Assert.Equal(table, error.HostOffset);
        Assert.NotEmpty(chain.GetBitmap("coarse").GetDirtyExtents());
    }

    [Fact]
    public void MoreBitmapsThanAllowed_FailTheListAndNotTheDisk()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Image, new Qcow2OpenOptions { MaxBitmaps = 2 });
        Assert.Contains("MaxBitmaps", Assert.Throws<Qcow2UnsupportedException>(chain.GetBitmaps).Message, StringComparison.Ordinal);
        Assert.Equal(512, chain.ReadAt(0, new byte[512]));
        using Qcow2Chain enough = Qcow2Chain.Open(Image, new Qcow2OpenOptions { MaxBitmaps = 3 });
        Assert.Equal(3, enough.GetBitmaps().Count);
    }

    private static int DirectoryOffset(byte[] image)
    {
        ReadOnlySpan<byte> extension = [0x23, 0x85, 0x28, 0x75, 0, 0, 0, 24];
        return (int)image.ReadU64(image.AsSpan().IndexOf(extension) + 24);
    }
}
