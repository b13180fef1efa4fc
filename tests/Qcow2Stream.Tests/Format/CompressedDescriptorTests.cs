using Qcow2Stream.Format;

namespace Qcow2Stream.Tests.Format;

public class CompressedDescriptorTests
{
    private const ulong Compressed = 1UL << 62;

    [Theory]
    [InlineData(9, 0x1234UL, 0x1234L, 512 - 0x34)] // one sector, from the middle of it
    [InlineData(9, (1UL << 61) | 0x1234UL, 0x1234L, 1024 - 0x34)] // the one bit of the count
    [InlineData(9, (1UL << 60) | 0x200UL, (1L << 60) | 0x200, 512)] // the highest bit of the offset
    [InlineData(12, (3UL << 58) | 0x5000UL, 0x5000L, 4 * 512)]
    [InlineData(12, (15UL << 58) | 0x5FFFUL, 0x5FFFL, (16 * 512) - 511)] // the last byte of a sector
    [InlineData(16, 0x50000UL, 0x50000L, 512)]
    [InlineData(16, (3UL << 54) | 0x50001UL, 0x50001L, (4 * 512) - 1)]
    [InlineData(16, (255UL << 54) | ((1UL << 54) - 1), (1L << 54) - 1, (256 * 512) - 511)] // every bit set
    [InlineData(21, (1UL << 49) | 0x400UL, 0x400L, 1024)]
    [InlineData(21, (8191UL << 49) | ((1UL << 49) - 1), (1L << 49) - 1, (8192 * 512) - 511)] // every bit set
    public void Descriptor_IsSplitWhereTheClusterSizeSays(int clusterBits, ulong descriptor, long hostOffset, int hostLength)
    {
        CompressedDescriptor expected = new(hostOffset, hostLength);
        Assert.Equal(expected, CompressedDescriptor.Parse(new L2Entry(Compressed | descriptor), new Geometry(clusterBits)));
        Assert.Equal(expected, CompressedDescriptor.Parse(new L2Entry(Compressed | (1UL << 63) | descriptor), new Geometry(clusterBits)));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(16)]
    [InlineData(21)]
    public void LargestDescriptor_IsTwoClustersAtMost(int clusterBits)
    {
        ulong allSectors = ulong.MaxValue << (62 - (clusterBits - 8));
        CompressedDescriptor descriptor = CompressedDescriptor.Parse(new L2Entry(allSectors), new Geometry(clusterBits));
        Assert.Equal(new CompressedDescriptor(0, 2 << clusterBits), descriptor);
    }
}
