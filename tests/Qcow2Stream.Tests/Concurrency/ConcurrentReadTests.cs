using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Concurrency;

public class ConcurrentReadTests
{
    private const int Readers = 16;

    /// <summary>Default caches, and such that nearly every read throws something out.</summary>
    public static TheoryData<int> CacheSizes => [8 << 20, 0];

    [Theory]
    [MemberData(nameof(CacheSizes))]
    public async Task ManyReadersOfOneChain_EachReadsTheRightBytes(int cacheBytes)
    {
        using TempDirectory directory = new();
        string path = SampleDisk.WriteChain(directory, out byte[] expected);
        using Qcow2Chain chain = Qcow2Chain.Open(path, Options(cacheBytes));

        await RunAsync(chain, expected, readsEach: 1500);
    }

    [Theory]
    [MemberData(nameof(CacheSizes))]
    public async Task ManyReadersOfOneStream_EachReadsTheRightBytes(int cacheBytes)
    {
        SampleDisk disk = SampleDisk.Single();
        using Qcow2Chain chain = Qcow2Chain.Open(disk.OpenImage(), Options(cacheBytes));

        // Few reads: sync readers that wait for the stream's one cursor hold up the pool that async readers need.
        await RunAsync(chain, disk.Expected, readsEach: 300);
    }

    [Fact]
    public async Task MapsBesideReads_AreAllTheSame()
    {
        using TempDirectory directory = new();
        using Qcow2Chain chain = Qcow2Chain.Open(SampleDisk.WriteChain(directory, out byte[] expected), Options(cacheBytes: 0));
        MapExtent[] map = [.. chain.Map()];

        Task reads = RunAsync(chain, expected, readsEach: 300);
        Task maps = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int round = 0; round < 100; round++)
            {
                Assert.Equal(map, chain.Map());
            }
        })));
        await Task.WhenAll(reads, maps);
    }

    private static Qcow2OpenOptions Options(int cacheBytes) =>
        new() { LayerCacheBytes = cacheBytes, DecompressedCacheBytes = cacheBytes };

    private static Task RunAsync(Qcow2Chain chain, byte[] expected, int readsEach) =>
        Task.WhenAll(Enumerable.Range(0, Readers).Select(reader => Task.Factory.StartNew(
            () => RandomReader.RunAsync(chain, expected, reader, readsEach), TaskCreationOptions.LongRunning).Unwrap()));
}
