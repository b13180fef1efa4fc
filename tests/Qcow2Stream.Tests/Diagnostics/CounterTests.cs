using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Layers;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Diagnostics;

/// <summary>Exact counts of small chains on disk.</summary>
[Collection(nameof(DiagnosticsCollection))]
public sealed class CounterTests : IDisposable
{
    private const int Cluster = 1 << 16;
    private const int Step = 4096;

    // One entry; and of an L2 table a piece, which is all of it here.
    private const int L1Table = 8;
    private const int L2Table = 1 << 16;

    private readonly TempDirectory _directory = new();
    private readonly Recording _recording = new();

    public static TheoryData<bool> Ways => [false, true];

    public void Dispose()
    {
        _recording.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Read_CountsWhatItTakesFromTheHost(bool async)
    {
        using Qcow2Chain chain = Open();
        _recording.Clear();
        await Read(chain, 0, Step, async);
        AssertHost(reads: 3, bytes: L1Table + L2Table + Step);
        await Read(chain, Step, 2 * Step, async);
        AssertHost(reads: 1, bytes: 2 * Step);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Tables_MissOnceAndHitThen(bool async)
    {
        using Qcow2Chain chain = Open();
        _recording.Clear();
        await Read(chain, 0, Step, async);
        AssertCache(Qcow2Diagnostics.TablesCache, hits: 0, misses: 2);
        await Read(chain, Cluster, Step, async);
        await Read(chain, 2 * Cluster, Step, async);
        AssertCache(Qcow2Diagnostics.TablesCache, hits: 2, misses: 0);
    }

    [Fact]
    public void Tables_OfEveryLayerCount()
    {
        using var chain = Qcow2Chain.Open(SampleDisk.WriteChain(_directory, out _));
        _recording.Clear();

        // Unallocated in the top image; a cluster of the image below it.
        chain.ReadRange(8 * SampleDisk.ClusterSize, 512);
        AssertCache(Qcow2Diagnostics.TablesCache, hits: 0, misses: 4);
        chain.ReadRange(8 * SampleDisk.ClusterSize, 512);
        AssertCache(Qcow2Diagnostics.TablesCache, hits: 2, misses: 0);
    }

    [Fact]
    public void Tables_OfTheFirstFormatCount()
    {
        using var chain = Qcow2Chain.Open(_directory.Write("first.qcow", Qcow1Image.Make().Bytes));
        _recording.Clear();
        chain.ReadRange(0, 512);
        AssertCache(Qcow2Diagnostics.TablesCache, hits: 0, misses: 2);
        chain.ReadRange(0, 512);

        // Each look-up begins at the L1 table.
        AssertCache(Qcow2Diagnostics.TablesCache, hits: 2, misses: 0);
    }

    /// <summary>Deflate is decompressed as far as a read needs it, and as a whole for who comes back.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task PartsOfAZlibCluster_AreDecompressedTwiceAtMost(bool async)
    {
        using Qcow2Chain chain = Open();
        long compressed = 8 * Cluster;
        await Read(chain, compressed, Step, async);
        AssertDecompressed("zlib", clusters: 1, bytes: Step);
        AssertCache(Qcow2Diagnostics.ClustersCache, hits: 0, misses: 1);
        await Read(chain, compressed, Step, async);
        AssertDecompressed("zlib", clusters: 0, bytes: 0);
        AssertCache(Qcow2Diagnostics.ClustersCache, hits: 1, misses: 0);
        await Read(chain, compressed + Step, Step, async);
        AssertDecompressed("zlib", clusters: 1, bytes: Cluster);
        AssertCache(Qcow2Diagnostics.ClustersCache, hits: 0, misses: 1);
        await Read(chain, compressed + (2 * Step), Step, async);
        AssertDecompressed("zlib", clusters: 0, bytes: 0);
        AssertCache(Qcow2Diagnostics.ClustersCache, hits: 1, misses: 0);
    }

    /// <summary>They are decompressed on all cores, and count all the same.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task WholeClusters_AreNotKept(bool async)
    {
        using Qcow2Chain chain = Open();
        for (int round = 0; round < 2; round++)
        {
            await Read(chain, 8 * Cluster, 8 * Cluster, async);
            AssertDecompressed("zlib", clusters: 8, bytes: 8 * Cluster);
            AssertCache(Qcow2Diagnostics.ClustersCache, hits: 0, misses: 8);
        }
    }

    [Fact]
    public void PartOfAZstdCluster_IsDecompressedAsAWhole()
    {
        string path = _directory.File("zstd.qcow2");
        new Qcow2Builder
        {
            Size = Cluster,
            CompressionType = CompressionType.Zstd,
            Clusters = [GuestClusters.Compressed(0, fill: 0x55)],
        }.Build().WriteTo(path);
        using var chain = Qcow2Chain.Open(path);
        chain.ReadRange(0, Step);
        AssertDecompressed("zstd", clusters: 1, bytes: Cluster);
        AssertDecompressed("zlib", clusters: 0, bytes: 0);
        AssertCache(Qcow2Diagnostics.ClustersCache, hits: 0, misses: 1);
    }

    [Fact]
    public void BrokenCluster_IsAMissAndNotDecompressed()
    {
        string path = _directory.File("broken.qcow2");
        new Qcow2Builder
        {
            Size = Cluster,
            Clusters = [GuestClusters.CompressedPayload(0, [0xFF, 0xFF, 0xFF, 0xFF])],
        }.Build().WriteTo(path);
        using var chain = Qcow2Chain.Open(path);
        Assert.Throws<Qcow2FormatException>(() => chain.ReadRange(0, Step));
        AssertDecompressed("zlib", clusters: 0, bytes: 0);
        AssertCache(Qcow2Diagnostics.ClustersCache, hits: 0, misses: 1);
    }

    [Fact]
    public void Check_CountsTheRefcountTablesThatItLoads()
    {
        using var check = ImageCheck.Open(WriteImage());
        _recording.Clear();
        Assert.Empty(check.Run());
        Assert.Equal(2, _recording.Take(Qcow2Diagnostics.CacheMisses, Qcow2Diagnostics.TablesCache));
        Assert.NotEqual(0, _recording.Take(Qcow2Diagnostics.HostReads));
    }

    private static async Task Read(Qcow2Chain chain, long guestOffset, int length, bool async)
    {
        if (async)
        {
            Assert.Equal(length, await chain.ReadAtAsync(guestOffset, new byte[length]));
        }
        else
        {
            chain.ReadRange(guestOffset, length);
        }
    }

    private Qcow2Chain Open() => Qcow2Chain.Open(WriteImage());

    private string WriteImage()
    {
        string path = _directory.File("disk.qcow2");
        SampleDisk.DataThenCompressed().WriteTo(path);
        return path;
    }

    private void AssertHost(int reads, int bytes) =>
        Assert.Equal((reads, bytes), (_recording.Take(Qcow2Diagnostics.HostReads), _recording.Take(Qcow2Diagnostics.HostReadBytes)));

    private void AssertCache(string cache, int hits, int misses) =>
        Assert.Equal((hits, misses), (_recording.Take(Qcow2Diagnostics.CacheHits, cache), _recording.Take(Qcow2Diagnostics.CacheMisses, cache)));

    private void AssertDecompressed(string type, int clusters, int bytes) => Assert.Equal(
        (clusters, bytes),
        (_recording.Take(Qcow2Diagnostics.DecompressedClusters, type), _recording.Take(Qcow2Diagnostics.DecompressedBytes, type)));
}
