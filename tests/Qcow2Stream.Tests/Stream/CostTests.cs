using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

/// <summary>What is read from an image grows with what is asked of it, not with its size.</summary>
public class CostTests
{
    private const int HeaderRead = 4096;
    private const int TableRead = 1 << 16;

    // 16 TiB, with an L1 table of 256 KiB; there is something in every eighth of it.
    private static readonly byte[] Image = new Qcow2Builder
    {
        Size = 16L << 40,
        Clusters = [.. Enumerable.Range(0, 8).Select(part => GuestClusters.Data((2L << 40 >> 16) * part, 0x11, count: 2))],
    }.Build().ToBytes();

    [Fact]
    public void Opening_ReadsTheHeaderAlone()
    {
        using TrackedStream file = new(Image);
        using var chain = Qcow2Chain.Open(file);
        Assert.Equal(16L << 40, chain.Length);
        Assert.Equal(HeaderRead, file.Reads.Sum(read => read.Length));
    }

    [Fact]
    public void MapOfARange_ReadsItsTables()
    {
        using TrackedStream file = new(Image);
        using var chain = Qcow2Chain.Open(file);
        chain.Map(4L << 40, 1 << 30).WriteText(Stream.Null);
        Assert.Equal(HeaderRead + (2 * TableRead), file.Reads.Sum(read => read.Length));
    }

    [Fact]
    public void Read_TakesTheTablesOnceAndThenItsBytes()
    {
        using TrackedStream file = new(Image);
        using var chain = Qcow2Chain.Open(file);
        byte[] buffer = new byte[1000];
        for (int read = 0; read < 5; read++)
        {
            Assert.Equal(buffer.Length, chain.ReadAt((6L << 40) + (read * 5000), buffer));
        }

        Assert.Equal(HeaderRead + (2 * TableRead) + (5 * buffer.Length), file.Reads.Sum(read => read.Length));
    }
}
