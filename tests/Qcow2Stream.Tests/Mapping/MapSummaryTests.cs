using System.Text;
using System.Text.Json;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Mapping;

/// <summary>What layers hold and hide, counted.</summary>
public sealed class MapSummaryTests : IDisposable
{
    private const int ClusterSize = 4096;

    private readonly TempDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Clusters 0 to 3 below; 1 stored again, 2 made zeros above; the layer below is longer than the disk.</summary>
    [Fact]
    public void WhatLayersAboveCover_IsHidden()
    {
        MapSummary summary = Chain(
            below: [GuestClusters.Data(0, 1, count: 4), GuestClusters.Data(9, 2), GuestClusters.Compressed(12, 5)],
            above: [GuestClusters.Data(1, 3), GuestClusters.Zero(2)],
            size: 8).Summarize();
        Assert.Equal(
            (8L * ClusterSize, 3L * ClusterSize, ClusterSize, 4L * ClusterSize),
            (summary.Length, summary.StoredBytes, summary.ZeroBytes, summary.UnallocatedBytes));
        Assert.Equal((ClusterSize, 0L, ClusterSize, 0L), Of(summary.Layers[0]));
        LayerSummary below = summary.Layers[1];
        Assert.Equal((5L * ClusterSize, (long)ClusterSize, 0L, 4L * ClusterSize), Of(below));
        Assert.Equal((3L * ClusterSize) + below.CompressedHostBytes, below.HiddenHostBytes);
        Assert.Equal((6L * ClusterSize, (5L * ClusterSize) + below.CompressedHostBytes), (below.StoredBytes, below.HostBytes));
    }

    /// <summary>Half a compressed cluster hidden frees nothing.</summary>
    [Fact]
    public void CompressedCluster_IsDroppedAsAWhole()
    {
        Qcow2Image below = new Qcow2Builder { ClusterBits = 13, Size = 1 << 16, Clusters = [GuestClusters.Compressed(0, 7, count: 2)] }.Build();
        below.WriteTo(_scratch.File("below.qcow2"));
        foreach ((int covered, bool isDropped) in new[] { (1, false), (2, true) })
        {
            string path = _scratch.File($"top-{covered}.qcow2");
            new Qcow2Builder
            {
                ClusterBits = 12,
                Size = 1 << 16,
                BackingFile = "below.qcow2",
                BackingFormat = "qcow2",
                Clusters = [GuestClusters.Zero(0, count: covered)],
            }.Build().WriteTo(path);
            using Qcow2Chain chain = Qcow2Chain.Open(path);
            LayerSummary layer = chain.Map().Summarize().Layers[1];
            Assert.Equal(covered * ClusterSize, layer.HiddenBytes);
            Assert.Equal(isDropped, layer.HiddenHostBytes > 0);
        }
    }

    [Fact]
    public void Fragments_AreThePlacesToGoTo()
    {
        MapSummary summary = Chain(
            below: [],
            above:
            [
                GuestClusters.Data(0, 1, count: 2, hostOffset: 0x10000), GuestClusters.Data(3, 1, hostOffset: 0x12000),
                GuestClusters.Data(4, 1, hostOffset: 0x20000), GuestClusters.Data(5, 1, hostOffset: 0x13000),
            ],
            size: 8).Summarize();
        Assert.Equal(3, summary.Layers[0].Fragments);
        Assert.Equal(0, summary.Layers[1].Fragments);
        Assert.Null(summary.Layers[0].CompressionRatio);
    }

    /// <summary>Compressed clusters that QEMU packs one after another are one piece, and their bytes count once.</summary>
    [QemuFact]
    public async Task CompressedImage_IsCountedAsByQemu()
    {
        string raw = _scratch.Write("disk.raw", Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(0, 600_000))));
        string path = _scratch.File("disk.qcow2");
        await Qemu.Img("convert", "-f", "raw", "-c", "-O", "qcow2", raw, path);
        using JsonDocument check = JsonDocument.Parse(await Qemu.Img("check", "--output=json", path));
        using Qcow2Chain chain = Qcow2Chain.Open(path);
        LayerSummary layer = chain.Map().Summarize().Layers[0];

        // The last cluster is cut off by the disk's end.
        long clusters = (layer.CompressedBytes + (1 << 16) - 1) >> 16;
        Assert.Equal(check.RootElement.GetProperty("compressed-clusters").GetInt64(), clusters);
        Assert.InRange(layer.Fragments, 1, 3);
        Assert.InRange(layer.CompressedHostBytes, layer.CompressedBytes / 20, new FileInfo(path).Length);
        Assert.Equal((double)layer.CompressedBytes / layer.CompressedHostBytes, layer.CompressionRatio);
    }

    [Fact]
    public void Range_CountsWhatIsInIt()
    {
        MapEnumerator map = Chain(below: [GuestClusters.Data(0, 1, count: 8)], above: [GuestClusters.Data(1, 3, count: 4)], size: 8);
        using Qcow2Chain chain = Qcow2Chain.Open(_scratch.File("top.qcow2"));
        MapSummary summary = chain.Map(2 * ClusterSize, 4 * ClusterSize).Summarize();
        Assert.Equal((4L * ClusterSize, 4L * ClusterSize), (summary.Length, summary.StoredBytes));
        Assert.Equal((3L * ClusterSize, 0L, 0L, 0L), Of(summary.Layers[0]));
        Assert.Equal((4L * ClusterSize, 0L, 0L, 3L * ClusterSize), Of(summary.Layers[1]));
        Assert.Equal(8L * ClusterSize, map.Summarize().StoredBytes);
    }

    [Fact]
    public void HolesOfARawFile_AreZeros()
    {
        string raw = _scratch.File("disk.raw");
        using (FileStream file = File.Create(raw))
        {
            file.SetLength(8 << 20);
            file.Position = 4 << 20;
            file.Write(GuestDisk.Noise(64 << 10, 1));
        }

        using Qcow2Chain chain = Qcow2Chain.Open(raw);
        MapSummary summary = chain.Map().Summarize();
        Assert.Equal(chain.Map().WithHostHoles().Where(e => e.Kind == MapKind.Hole).Sum(e => e.Length), summary.ZeroBytes);
        Assert.Equal(summary.Length, summary.StoredBytes + summary.ZeroBytes);
    }

    [Fact]
    public void CancelledMap_IsNotSummarized()
    {
        using CancellationTokenSource cancellation = new();
        cancellation.Cancel();
        MapEnumerator map = Chain(below: [], above: [GuestClusters.Data(1, 3)], size: 8);
        Assert.Throws<OperationCanceledException>(() => map.WithCancellation(cancellation.Token).Summarize());
    }

    [Theory]
    [InlineData("chain-3", "text")]
    [InlineData("chain-3", "json")]
    [InlineData("zlib", "text")]
    [InlineData("empty", "text")]
    public Task Summary_IsWritten(string image, string form)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image(image + ".qcow2"));
        using MemoryStream output = new();
        MapSummary summary = chain.Map().Summarize();
        Action<Stream> write = form == "json" ? summary.WriteJson : summary.WriteText;
        write(output);
        string directory = Path.GetDirectoryName(Repository.Image(image))! + Path.DirectorySeparatorChar;
        return Verifier.Verify(Encoding.UTF8.GetString(output.ToArray()).Replace(directory, "", StringComparison.Ordinal)).UseParameters(image, form);
    }

    private static (long Data, long Compressed, long Zero, long Hidden) Of(LayerSummary layer) =>
        (layer.DataBytes, layer.CompressedBytes, layer.ZeroBytes, layer.HiddenBytes);

    /// <summary>The lower disk has 16 clusters.</summary>
    private MapEnumerator Chain(GuestClusters[] below, GuestClusters[] above, int size)
    {
        new Qcow2Builder { ClusterBits = 12, Size = 16 * ClusterSize, Clusters = below }.Build().WriteTo(_scratch.File("below.qcow2"));
        string path = _scratch.File("top.qcow2");
        new Qcow2Builder
        {
            ClusterBits = 12,
            Size = size * ClusterSize,
            BackingFile = "below.qcow2",
            BackingFormat = "qcow2",
            Clusters = above,
        }.Build().WriteTo(path);
        return Qcow2Chain.Open(path).Map();
    }
}
