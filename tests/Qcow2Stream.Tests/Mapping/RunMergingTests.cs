using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Tests.Mapping;

public class RunMergingTests
{
    [Fact]
    public void Nothing_StaysNothing() => Assert.Empty(Array.Empty<HostRun>().Merge());

    [Fact]
    public void NeighboursInTheFileToo_AreOne()
    {
        HostRun[] merged = [.. new[] { Data(0, 10, 100), Data(10, 5, 110), Data(15, 1, 115) }.Merge()];
        Assert.Equal([Data(0, 16, 100)], merged);
    }

    [Fact]
    public void NeighboursThatAreNowhere_AreOne()
    {
        HostRun zero = new() { GuestOffset = 0, Length = 10, Kind = RunKind.Zero };
        Assert.Equal([zero with { Length = 30 }], new[] { zero, zero with { GuestOffset = 10, Length = 20 } }.Merge());
    }

    [Fact]
    public void WhateverDiffers_KeepsThemApart()
    {
        HostRun first = Data(0, 10, 100);
        HostRun next = Data(10, 10, 110);
        HostRun[] others =
        [
            next with { GuestOffset = 11 },
            next with { Kind = RunKind.Zero },
            next with { Depth = 1 },
            next with { HostOffset = 111 },
            next with { HostOffset = 100 },
            next with { HostOffset = HostRun.Nowhere },
        ];
        Assert.All(others, other => Assert.Equal([first, other], new[] { first, other }.Merge()));
        Assert.Equal(2, new[] { first with { HostOffset = HostRun.Nowhere }, next }.Merge().Count());
    }

    [Fact]
    public void PartsOfACompressedCluster_AreOneWithAllItsBytesOnce()
    {
        HostRun whole = Compressed(0, 100, hostOffset: 777, offsetInCluster: 0);
        HostRun[] parts =
        [
            Compressed(0, 30, 777, 0), Compressed(30, 50, 777, 30), Compressed(80, 20, 777, 80),
        ];
        Assert.Equal([whole], parts.Merge());
        Assert.Equal([whole with { GuestOffset = 30, Length = 70, OffsetInCluster = 30 }], parts.Skip(1).Merge());
    }

    [Fact]
    public void TwoCompressedClusters_AreTwo()
    {
        HostRun first = Compressed(0, 100, 777, 0);
        HostRun next = Compressed(100, 100, 777, 100);
        HostRun[] others =
        [
            next with { OffsetInCluster = 0 },
            next with { HostOffset = 877, OffsetInCluster = 0 },
            next with { HostOffset = 877 },
            next with { HostLength = 65 },
            next with { Depth = 1 },
        ];
        Assert.All(others, other => Assert.Equal([first, other], new[] { first, other }.Merge()));
    }

    [Fact]
    public void Merging_ReadsNoFurtherThanItMust()
    {
        static IEnumerable<HostRun> Endless()
        {
            yield return Data(0, 10, 100);
            yield return Data(10, 10, 500);
            throw new InvalidOperationException("asked too far");
        }

        Assert.Equal(Data(0, 10, 100), Endless().Merge().First());
    }

    [Fact]
    public void WhatComesBeforeAnError_IsToldBeforeIt()
    {
        static IEnumerable<HostRun> Damaged()
        {
            yield return Data(0, 10, 100);
            yield return Data(10, 10, 110);
            throw new Qcow2FormatException("damaged");
        }

        using IEnumerator<HostRun> runs = Damaged().Merge().GetEnumerator();
        Assert.True(runs.MoveNext());
        Assert.Equal(Data(0, 20, 100), runs.Current);
        Assert.Throws<Qcow2FormatException>(() => runs.MoveNext());
    }

    [Fact]
    public void ClusterCutByAnUpperLayersTables_IsOneExtent()
    {
        // Below, two compressed clusters of 64 KiB; above, a table ends every 32 KiB, and every table is there.
        byte[] noise = new byte[2 << 16];
        new Random(1).NextBytes(noise.AsSpan(0, 5000));
        new Random(2).NextBytes(noise.AsSpan(1 << 16, 5000));
        Infrastructure.Qcow2Image below = new Qcow2Builder { ClusterBits = 16, Size = 2 << 16, Clusters = [GuestClusters.Compressed(0, noise, count: 2)] }.Build();
        Infrastructure.Qcow2Image top = new Qcow2Builder
        {
            ClusterBits = 9,
            Size = 2 << 16,
            BackingFile = "below",
            BackingFormat = "qcow2",
            Clusters = [.. Enumerable.Range(0, 4).Select(table => GuestClusters.RawEntry(table * 64, 0))],
        }.Build();

        FollowPolicy follow = FollowPolicy.FromResolver(_ => new MemoryStream(below.ToBytes()));
        using var chain = Qcow2Chain.Open(new MemoryStream(top.ToBytes()), new() { Follow = follow });
        Assert.Equal(32 << 10, chain.Inner.Translator.Translate(0, chain.Length).Length);
        Assert.Equal(
            [(0L, 65536L, MapKind.Compressed, 1), (65536L, 65536L, MapKind.Compressed, 1)],
            chain.Map().Select(extent => (extent.Start, extent.Length, extent.Kind, extent.Depth)));
        Assert.Equal(noise, chain.ReadWholeDisk());

        // A range that starts inside the first cluster and ends inside the second.
        Assert.Equal(
            [(1000L, 64536L), (65536L, 40000L)],
            chain.Map(1000, 104536).Select(extent => (extent.Start, extent.Length)));
    }

    [Fact]
    public void ClusterPartlyHiddenByTheLayerAbove_IsOneExtentOnEachSide()
    {
        Infrastructure.Qcow2Image below = new Qcow2Builder { ClusterBits = 16, Size = 1 << 16, Clusters = [GuestClusters.Compressed(0, 0x11)] }.Build();
        Infrastructure.Qcow2Image top = new Qcow2Builder
        {
            ClusterBits = 9,
            Size = 1 << 16,
            BackingFile = "below",
            BackingFormat = "qcow2",
            Clusters = [GuestClusters.Data(10, 0x22)],
        }.Build();

        FollowPolicy follow = FollowPolicy.FromResolver(_ => new MemoryStream(below.ToBytes()));
        using var chain = Qcow2Chain.Open(new MemoryStream(top.ToBytes()), new() { Follow = follow });
        Assert.Equal(
            [(0L, 5120L, MapKind.Compressed, 1), (5120L, 512L, MapKind.Data, 0), (5632L, 59904L, MapKind.Compressed, 1)],
            chain.Map().Select(extent => (extent.Start, extent.Length, extent.Kind, extent.Depth)));
    }

    [Fact]
    public void DataAcrossTables_IsOneExtent()
    {
        byte[] image = new Qcow2Builder
        {
            ClusterBits = 9,
            Size = 4 << 15,
            Clusters = [GuestClusters.Data(0, 0x11, count: 256, hostOffset: 1 << 20)],
        }.Build().ToBytes();
        using var chain = Qcow2Chain.Open(new MemoryStream(image));
        MapExtent extent = Assert.Single(chain.Map());
        Assert.Equal((4L << 15, 1L << 20, 4L << 15), (extent.Length, extent.HostOffset, extent.HostLength));
    }

    private static HostRun Data(long start, long length, long hostOffset) =>
        new() { GuestOffset = start, Length = length, Kind = RunKind.Data, HostOffset = hostOffset, HostLength = length };

    private static HostRun Compressed(long start, long length, long hostOffset, int offsetInCluster) => new()
    {
        GuestOffset = start,
        Length = length,
        Kind = RunKind.Compressed,
        HostOffset = hostOffset,
        HostLength = 64,
        OffsetInCluster = offsetInCluster,
    };
}
