using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>One read over far more compressed clusters than are decompressed at a time, with others in between.</summary>
public sealed class LargeReadTests
{
    private const int ClusterSize = 512;
    private const int Clusters = 1100;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(700 * ClusterSize)]
    public async Task OneReadOverThousandCompressedClusters_HasEveryByte(int offset)
    {
        Qcow2Image image = Build();
        byte[] expected = image.ExpectedContent();
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image.ToBytes()));

        byte[] actual = new byte[expected.Length - offset];
        Assert.Equal(actual.Length, chain.ReadAt(offset, actual));
        Assert.Equal(expected[offset..], actual);

        actual.AsSpan().Fill(0xAA);
        Assert.Equal(actual.Length, await chain.ReadAtAsync(offset, actual));
        Assert.Equal(expected[offset..], actual);
    }

    private static Qcow2Image Build() => new Qcow2Builder
    {
        ClusterBits = 9,
        Size = Clusters * ClusterSize,
        Clusters =
        [
            .. Enumerable.Range(0, Clusters).Select(i => i % 50 == 0
                ? GuestClusters.Data(i, (byte)i)
                : GuestClusters.Compressed(i, (byte)(i * 7), skip: i % 3)),
        ],
    }.Build();
}
