using Qcow2Stream.Format;

namespace Qcow2Stream.Tests.Format;

public class TableEntryTests
{
    [Theory]
    [InlineData(0UL, 0L)]
    [InlineData(0x8000_0000_0005_0000UL, 0x50000L)] // COPIED
    [InlineData(0x7F00_0000_0005_01FFUL, 0x50000L)] // every reserved bit
    [InlineData(0xFFFF_FFFF_FFFF_FFFFUL, 0x00FF_FFFF_FFFF_FE00L)]
    public void L1Entry_IsAnOffsetAmongOtherBits(ulong value, long tableOffset) =>
        Assert.Equal(tableOffset, new L1Entry(value).L2TableOffset);

    [Theory]
    [InlineData(0UL, false, false, 0L)]
    [InlineData(1UL, false, true, 0L)]
    [InlineData(0x8000_0000_0005_0000UL, false, false, 0x50000L)]
    [InlineData(0x8000_0000_0005_0001UL, false, true, 0x50000L)]
    [InlineData(0x3F00_0000_0005_01FEUL, false, false, 0x50000L)] // every reserved bit
    [InlineData(0x4000_0000_0005_0000UL, true, false, 0x50000L)]
    [InlineData(0xBFFF_FFFF_FFFF_FFFFUL, false, true, 0x00FF_FFFF_FFFF_FE00L)]
    public void L2Entry_IsAnOffsetAndFlags(ulong value, bool isCompressed, bool isZero, long hostOffset)
    {
        L2Entry entry = new(value);
        Assert.Equal(isCompressed, entry.IsCompressed);
        Assert.Equal(isZero, entry.IsZero);
        Assert.Equal(hostOffset, entry.HostOffset);
    }

    [Fact]
    public void MeaningMask_LeavesOutCopiedAndReservedBits() =>
        Assert.Equal(0x40FF_FFFF_FFFF_FE01UL, L2Entry.MeaningMask);
}
