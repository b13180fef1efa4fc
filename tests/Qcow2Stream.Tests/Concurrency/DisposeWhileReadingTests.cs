using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Concurrency;

public class DisposeWhileReadingTests
{
    private const int Rounds = 150;
    private const int Readers = 6;

    [Theory]
    [InlineData(8 << 20)]
    [InlineData(0)]
    public async Task ChainOfFiles_ReadsEndInObjectDisposedExceptionOnly(int cacheBytes)
    {
        using TempDirectory directory = new();
        string path = SampleDisk.WriteChain(directory, out byte[] expected);
        Qcow2OpenOptions options = new() { LayerCacheBytes = cacheBytes, DecompressedCacheBytes = cacheBytes };
        for (int round = 0; round < Rounds; round++)
        {
            await DisposeBesideReadersAsync(Qcow2Chain.Open(path, options), expected, round);
        }
    }

    [Fact]
    public async Task ImageInAStream_ReadsEndInObjectDisposedExceptionOnly()
    {
        SampleDisk disk = SampleDisk.Single();
        for (int round = 0; round < Rounds; round++)
        {
            await DisposeBesideReadersAsync(Qcow2Chain.Open(disk.OpenImage()), disk.Expected, round);
        }
    }

    [Fact]
    public async Task ManyDisposeAtOnce_IsFine()
    {
        using TempDirectory directory = new();
        string path = SampleDisk.WriteChain(directory, out byte[] expected);
        for (int round = 0; round < Rounds; round++)
        {
            Qcow2Chain chain = Qcow2Chain.Open(path);
            Assert.Equal(1, chain.ReadAt(round, new byte[1]));

            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(chain.Dispose)));

            Assert.Throws<ObjectDisposedException>(() => chain.ReadAt(0, new byte[expected.Length]));
        }
    }

    /// <summary>
    /// Each reader continues until it is stopped: by anything but <see cref="ObjectDisposedException"/> the test fails,
    /// and so it does by a wrong byte.
    /// </summary>
    private static async Task DisposeBesideReadersAsync(Qcow2Chain chain, byte[] expected, int round)
    {
        using CountdownEvent running = new(Readers);
        Task[] readers = [.. Enumerable.Range(0, Readers).Select(reader => Task.Run(async () =>
        {
            running.Signal();
            await Assert.ThrowsAsync<ObjectDisposedException>(
                () => RandomReader.RunAsync(chain, expected, (round * Readers) + reader, reads: int.MaxValue));
        }))];

        // On a pool with few threads not all of the readers may run yet: they then find the chain closed.
        running.Wait(TimeSpan.FromMilliseconds(5));
        Thread.SpinWait(round % 50 * 2000);
        chain.Dispose();
        await Task.WhenAll(readers);
    }
}
