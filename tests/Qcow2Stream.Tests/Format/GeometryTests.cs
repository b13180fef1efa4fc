using Qcow2Stream.Format;

namespace Qcow2Stream.Tests.Format;

public class GeometryTests
{
    [Theory]
    [InlineData(9, 512, 64, 32L << 10)]
    [InlineData(12, 4096, 512, 2L << 20)]
    [InlineData(16, 65536, 8192, 512L << 20)]
    [InlineData(21, 2097152, 262144, 512L << 30)]
    public void ClusterBits_DecideAllSizes(int clusterBits, int clusterSize, int l2Entries, long l2Coverage)
    {
        Geometry geometry = new(clusterBits);
        Assert.Equal(clusterBits, geometry.ClusterBits);
        Assert.Equal(clusterSize, geometry.ClusterSize);
        Assert.Equal(clusterSize - 1, geometry.OffsetInClusterMask);
        Assert.Equal(l2Entries, geometry.L2Entries);
        Assert.Equal(l2Coverage, geometry.L2Coverage);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(21)]
    public void GuestOffset_IsSplitAtTheBoundaries(int clusterBits)
    {
        Geometry geometry = new(clusterBits);
        int last = geometry.L2Entries - 1;
        int end = geometry.ClusterSize - 1;
        Assert.Equal((0, 0, 0), Split(geometry, 0));
        Assert.Equal((0, 0, end), Split(geometry, geometry.ClusterSize - 1));
        Assert.Equal((0, 1, 0), Split(geometry, geometry.ClusterSize));
        Assert.Equal((0, last, end), Split(geometry, geometry.L2Coverage - 1));
        Assert.Equal((1, 0, 0), Split(geometry, geometry.L2Coverage));
        Assert.Equal((long.MaxValue / geometry.L2Coverage, last, end), Split(geometry, long.MaxValue));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(21)]
    public void L1EntriesFor_CountsStartedTables(int clusterBits)
    {
        Geometry geometry = new(clusterBits);
        Assert.Equal(0, geometry.L1EntriesFor(0));
        Assert.Equal(1, geometry.L1EntriesFor(1));
        Assert.Equal(1, geometry.L1EntriesFor(geometry.L2Coverage));
        Assert.Equal(2, geometry.L1EntriesFor(geometry.L2Coverage + 1));
        Assert.Equal((long.MaxValue / geometry.L2Coverage) + 1, geometry.L1EntriesFor(long.MaxValue));
        Assert.Equal((long.MaxValue / geometry.L2Coverage) + 1, geometry.L1EntriesFor(long.MaxValue - 511));
    }

    [Theory]
    [InlineData(0L, true)]
    [InlineData(512L, false)]
    [InlineData(4096L, true)]
    [InlineData(4097L, false)]
    [InlineData(0x00FF_FFFF_FFFF_F000L, true)]
    [InlineData(0x00FF_FFFF_FFFF_FE00L, false)]
    public void IsClusterAligned_LooksAtTheLowBits(long hostOffset, bool isAligned) =>
        Assert.Equal(isAligned, new Geometry(12).IsClusterAligned(hostOffset));

    [Theory]
    [InlineData(0, 1L, 1L)]
    [InlineData(0, 4096L, 1L)]
    [InlineData(0, 4097L, 2L)]
    [InlineData(4095, 1L, 1L)]
    [InlineData(4095, 2L, 2L)]
    [InlineData(1, 4095L, 1L)]
    [InlineData(1, 4096L, 2L)]
    [InlineData(4095, 8193L, 3L)]
    [InlineData(0, 1L << 62, 1L << 50)]
    [InlineData(0, long.MaxValue, 1L << 51)]
    [InlineData(0, long.MaxValue - 511, 1L << 51)]
    [InlineData(4095, long.MaxValue - 8190, (1L << 51) - 1)]
    public void ClustersTouched_CountsBothEnds(int offsetInCluster, long length, long clusters) =>
        Assert.Equal(clusters, new Geometry(12).ClustersTouched(offsetInCluster, length));

    private static (long L1Index, int L2Index, int OffsetInCluster) Split(Geometry geometry, long guestOffset) =>
        (geometry.L1Index(guestOffset), geometry.L2Index(guestOffset), geometry.OffsetInCluster(guestOffset));
}
