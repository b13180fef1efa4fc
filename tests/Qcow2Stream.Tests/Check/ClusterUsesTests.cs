using Qcow2Stream.Check;

namespace Qcow2Stream.Tests.Check;

public sealed class ClusterUsesTests
{
    [Fact]
    public void Counts_GoPastWhatASlotHolds()
    {
        ClusterUses uses = new(10_000, ulong.MaxValue, 1 << 20, null);
        for (int i = 0; i < 40_000; i++)
        {
            Assert.Equal(0UL, uses.Add(4095, ClusterUse.Data));
            Assert.True(i > 16_382 || uses.Add(4096, ClusterUse.L2Table) == 0);
        }

        Assert.Equal((40_000UL, ClusterUse.Data), uses.Get(4095));
        Assert.Equal((16_383UL, ClusterUse.L2Table), uses.Get(4096));
        Assert.Equal((0UL, ClusterUse.Data), uses.Get(9_999));
    }

    [Theory]
    [InlineData(1UL, 1)]
    [InlineData(3UL, 2)]
    [InlineData(65_535UL, 5)]
    public void Counts_StopAtTheMaximum(ulong max, int more)
    {
        ClusterUses uses = new(100, max, 1 << 20, null);
        for (ulong i = 0; i < max; i++)
        {
            Assert.Equal(0UL, uses.Add(7, ClusterUse.Data));
        }

        for (int i = 0; i < more; i++)
        {
            Assert.Equal(1UL, uses.Add(7, ClusterUse.Data));
        }

        Assert.Equal(max, uses.Get(7).Count);

        // Many at once are as many one by one.
        Assert.Equal((ulong)more, uses.Add(8, ClusterUse.Data, max + (ulong)more));
        Assert.Equal((max, ClusterUse.Data), uses.Get(8));
    }

    [Fact]
    public void OnlyDataAndL2Tables_AreSharedWithTheirLike()
    {
        ClusterUse After(ClusterUse first, ClusterUse second)
        {
            ClusterUses uses = new(1, 65_535, 1 << 20, null);
            uses.Add(0, first);
            uses.Add(0, second);
            return uses.Get(0).Use;
        }

        Assert.Equal(ClusterUse.Data, After(ClusterUse.Data, ClusterUse.Data));
        Assert.Equal(ClusterUse.L2Table, After(ClusterUse.L2Table, ClusterUse.L2Table));
        Assert.Equal(ClusterUse.Overlap, After(ClusterUse.Metadata, ClusterUse.Metadata));
        Assert.Equal(ClusterUse.Overlap, After(ClusterUse.Metadata, ClusterUse.Data));
        Assert.Equal(ClusterUse.Overlap, After(ClusterUse.Data, ClusterUse.L2Table));
    }
}
