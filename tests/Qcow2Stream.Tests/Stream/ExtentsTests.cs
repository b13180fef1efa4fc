using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

public class ExtentsTests
{
    private const int ClusterSize = SampleDisk.ClusterSize;

    [Fact]
    public void Extents_AreWhatIsStored()
    {
        using Qcow2ChainStream stream = SampleDisk.Single().Open();

        Assert.Equal(
            [
                Clusters(0, 4),
                Clusters(9, 6),
                Clusters(22, 1),
                Clusters(27, 6),
                new StreamExtent(40 * ClusterSize, 1536),
            ],
            stream.Extents);
    }

    [Fact]
    public void ExtentsOfAChain_CountEveryLayer()
    {
        using TempDirectory directory = new();
        using Qcow2ChainStream stream = new(SampleDisk.WriteChain(directory, out _));

        Assert.Equal(
            [
                Clusters(0, 5),
                Clusters(8, 10),
                Clusters(20, 13),
                new StreamExtent(40 * ClusterSize, 1536),
            ],
            stream.Extents);
    }

    [Fact]
    public void ExtentsInARange_AreCutAtItsEnds()
    {
        using Qcow2ChainStream stream = SampleDisk.Single().Open();

        Assert.Equal([new StreamExtent(100, 200)], stream.GetExtentsInRange(100, 200));
        Assert.Equal(
            [new StreamExtent((4 * ClusterSize) - 1, 1), new StreamExtent(9 * ClusterSize, 10)],
            stream.GetExtentsInRange((4 * ClusterSize) - 1, (5 * ClusterSize) + 11));
        Assert.Empty(stream.GetExtentsInRange(4 * ClusterSize, ClusterSize));
        Assert.Empty(stream.GetExtentsInRange(0, 0));
        Assert.Empty(stream.GetExtentsInRange(stream.Length, 100));
        Assert.Equal([new StreamExtent(stream.Length - 1, 1)], stream.GetExtentsInRange(stream.Length - 1, long.MaxValue));
    }

    [Fact]
    public void NegativeRange_Throws()
    {
        using Qcow2ChainStream stream = SampleDisk.Single().Open();

        Assert.Throws<ArgumentOutOfRangeException>(() => stream.GetExtentsInRange(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.GetExtentsInRange(0, -1));
    }

    [Fact]
    public void FirstExtent_TakesFewReads()
    {
        const int Tables = 64;
        Qcow2Image image = ManyTables(Tables);
        WatchedStream host = new(image.ToBytes());
        using Qcow2ChainStream stream = new(host);

        int opened = host.Reads;
        IEnumerable<StreamExtent> extents = stream.Extents;
        Assert.Equal(opened, host.Reads);

        Assert.Equal(0, extents.First().Start);
        int first = host.Reads - opened;

        Assert.Equal(Tables, extents.Count());
        int all = host.Reads - opened;

        // An L1 table and an L2 table, and one more to see where the extent ends; against every L2 table.
        Assert.InRange(first, 1, 3);
        Assert.InRange(all, Tables, int.MaxValue);
    }

    [Fact]
    public void EnumeratingBesideReads_DisturbsNeither()
    {
        SampleDisk disk = SampleDisk.Single();
        using Qcow2ChainStream stream = disk.Open();
        StreamExtent[] expected = [.. stream.Extents];
        List<StreamExtent> seen = [];

        foreach (StreamExtent extent in stream.Extents)
        {
            seen.Add(extent);
            byte[] bytes = new byte[extent.Length];
            stream.Position = extent.Start;
            stream.ReadExactly(bytes);
            Assert.Equal(disk.Expected[(int)extent.Start..(int)(extent.Start + extent.Length)], bytes);
        }

        Assert.Equal(expected, seen);
    }

    [Fact]
    public void HoleOfARawFile_IsNoExtent()
    {
        using TempDirectory directory = new();
        string path = directory.File("sparse.raw");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(4 << 20);
            file.Position = 2 << 20;
            file.Write(new byte[] { 1, 2, 3 });
        }

        using Qcow2ChainStream stream = new(path, new Qcow2OpenOptions { Format = ImageFormat.Raw });

        // Where the host's file system knows no holes, all is data: then too, the written bytes are inside.
        Assert.Contains(stream.Extents, e => e.Start <= 2 << 20 && e.Start + e.Length >= (2 << 20) + 3);
        Assert.Equal(stream.Extents.Sum(e => e.Length), stream.Chain.Map().WithHostHoles().Where(e => !e.IsZero).Sum(e => e.Length));
        Assert.Equal([MapKind.Data], stream.Chain.Map().Select(e => e.Kind));
    }

    private static StreamExtent Clusters(int first, int count) => new(first * ClusterSize, count * ClusterSize);

    /// <summary>One cluster of data at the start of what each of the L2 tables describes.</summary>
    private static Qcow2Image ManyTables(int tables)
    {
        const int ClustersATable = 64;
        return new Qcow2Builder
        {
            ClusterBits = 9,
            Size = (long)tables * ClustersATable << 9,
            Clusters = [.. Enumerable.Range(0, tables).Select(t => GuestClusters.Data((long)t * ClustersATable, (byte)(t + 1)))],
        }.Build();
    }
}
