using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Streams;

public class MapContentTests
{
    private const int ClusterSize = SampleDisk.ClusterSize;

    [Fact]
    public void Places_AreThoseOfTheMap()
    {
        using Qcow2ChainStream stream = SampleDisk.Single().Open();
        StreamExtent[] expected =
        [
            .. from extent in stream.Chain.Map()
               where extent.Kind is MapKind.Data or MapKind.Compressed
               select new StreamExtent(extent.HostOffset!.Value, extent.HostLength),
        ];

        // Four runs of data, and six compressed clusters.
        Assert.Equal(10, expected.Length);
        Assert.Equal(expected, stream.MapContent(0, stream.Length));
    }

    [Fact]
    public void BytesAtThePlaces_AreTheDisks()
    {
        SampleDisk disk = SampleDisk.Single();
        using Qcow2ChainStream stream = disk.Open();
        const int Start = (27 * ClusterSize) + 100;
        const int Length = 5 * ClusterSize;

        StreamExtent place = Assert.Single(stream.MapContent(Start, Length));

        Assert.Equal(Length, place.Length);
        Assert.Equal(
            disk.Expected.AsSpan(Start, Length),
            disk.Image.AsSpan((int)place.Start, (int)place.Length));
    }

    [Fact]
    public void PartOfACompressedCluster_IsHeldByAllItsCompressedBytes()
    {
        using Qcow2ChainStream stream = SampleDisk.Single().Open();
        MapExtent cluster = stream.Chain.Map(9 * ClusterSize, ClusterSize).Single();

        Assert.Equal(
            [new StreamExtent(cluster.HostOffset!.Value, cluster.HostLength)],
            stream.MapContent((9 * ClusterSize) + 10, 20));
    }

    [Fact]
    public void OtherLayers_HaveNoPlacesInTheTopImage()
    {
        using TempDirectory directory = new();
        using Qcow2ChainStream stream = new(SampleDisk.WriteChain(directory, out _));

        // Clusters 16 and 17 are the backing file's; 18 and 19 are zeros with a place kept in reserve.
        Assert.Empty(stream.MapContent(16 * ClusterSize, 4 * ClusterSize));
        Assert.Equal(10, stream.MapContent(0, stream.Length).Count());
    }

    [Fact]
    public void ExternalDataFile_IsWhereThePlacesAre()
    {
        using Qcow2ChainStream stream = new(Repository.Image("data-file.qcow2"));
        byte[] file = File.ReadAllBytes(Repository.Image("data-file.raw"));
        byte[] disk = stream.Chain.ReadWholeDisk();
        MapExtent[] stored = [.. stream.Chain.Map().Where(e => e.Kind == MapKind.Data)];
        Assert.NotEmpty(stored);

        foreach (MapExtent extent in stored)
        {
            StreamExtent place = Assert.Single(stream.MapContent(extent.Start, extent.Length));
            Assert.Equal(
                disk.AsSpan((int)extent.Start, (int)extent.Length),
                file.AsSpan((int)place.Start, (int)place.Length));
        }
    }

    [Fact]
    public void RangeBehindTheEnd_HasNoPlaces()
    {
        using Qcow2ChainStream stream = SampleDisk.Single().Open();

        Assert.Empty(stream.MapContent(stream.Length, 100));
        Assert.Equal(1, Assert.Single(stream.MapContent(stream.Length - 1, long.MaxValue)).Length);
    }

    [Fact]
    public void WrongUse_ThrowsAtTheCall()
    {
        Qcow2ChainStream stream = SampleDisk.Single().Open();
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.MapContent(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.MapContent(0, -1));

        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => stream.MapContent(0, 1));
    }

    [Fact]
    public void Places_AreLookedUpAsTheyAreEnumerated()
    {
        TrackedStream file = new(SampleDisk.Single().Image);
        using Qcow2ChainStream stream = new(file);
        int before = file.Reads.Count;

        IEnumerable<StreamExtent> places = stream.MapContent(0, stream.Length);

        Assert.Equal(before, file.Reads.Count);
        Assert.NotEmpty(places);
        Assert.NotEqual(before, file.Reads.Count);
    }
}
