using System.Buffers;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Faults;

/// <summary>
/// Every buffer that is rented from the pool comes back: from work that succeeds, that fails at any one read, that is
/// cancelled there, and whose chain is closed there. Alone, as listening to the pool makes all else slower.
/// </summary>
[Collection(nameof(PooledBufferTests))]
[CollectionDefinition(nameof(PooledBufferTests), DisableParallelization = true)]
public sealed class PooledBufferTests : IDisposable
{
    private const int MostRuns = 40;

    private readonly PoolLedger _ledger = new();

    public static TheoryData<string> Images => FaultyImage.Names;

    public void Dispose() => _ledger.Dispose();

    /// <summary>What the other tests here rely on.</summary>
    [Fact]
    public async Task Ledger_SeesWhatIsOut()
    {
        byte[]? kept = null;
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => PoolLedger.CheckAsync(
            () => Task.Run(() => kept = ArrayPool<byte>.Shared.Rent(1000))));
        Assert.Equal(1, await PoolLedger.CheckAsync(async () =>
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(1000);
            await Task.Yield();
            ArrayPool<byte>.Shared.Return(buffer);
        }));
        ArrayPool<byte>.Shared.Return(kept!);
    }

    [Theory]
    [MemberData(nameof(Images))]
    public async Task WorkThatSucceeds_ReturnsAll(string image)
    {
        int rents = 0;
        foreach (FaultyUse use in FaultyUse.All)
        {
            rents += await PoolLedger.CheckAsync(() => FaultRun.OfAsync(FaultyImage.Named(image), use));
        }

        Assert.True(rents > 0 || image == "raw", "nothing was rented");
    }

    [Theory]
    [MemberData(nameof(Images))]
    public Task WorkThatFails_ReturnsAll(string image) => CheckAsync(image, (run, read) => run.CheckAsync(FaultKind.Throws, read));

    [Theory]
    [MemberData(nameof(Images))]
    public Task WorkThatIsCancelled_ReturnsAll(string image) => CheckAsync(image, (run, read) => run.CancelAsync(read));

    [Theory]
    [MemberData(nameof(Images))]
    public Task WorkWhoseChainIsClosed_ReturnsAll(string image) => CheckAsync(image, (run, read) => run.DisposeBesideAsync(read));

    /// <summary>The map's writer holds text back; a full disk is met when it is written out.</summary>
    [Fact]
    public async Task OutputThatFails_ReturnsAll()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("bitmaps.qcow2"));
        await PoolLedger.CheckAsync(() =>
        {
            using FullDisk full = new();
            Assert.Throws<IOException>(() => chain.Map().WriteText(full));
            Assert.Throws<IOException>(() => chain.Map().WriteJson(full));
            Assert.Throws<IOException>(() => chain.Map().WriteHuman(full));
            Assert.Throws<IOException>(() => chain.CopyTo(0, chain.Length, full));
            Assert.Throws<IOException>(() => chain.CopyTo(0, 100, full));
            return Assert.ThrowsAsync<IOException>(() => chain.CopyToAsync(0, chain.Length, full));
        });
    }

    /// <summary>Written once, not again when the writer is closed after the error.</summary>
    [Fact]
    public void OutputThatFails_IsNotWrittenToAgain()
    {
        // More than is held back.
        IEnumerable<MapExtent> map = Enumerable.Range(0, 20_000).Select(
            i => new MapExtent { Start = 512L * i, Length = 512, Kind = MapKind.Data, HostOffset = 5120L * i, HostLength = 512 });
        using FullDisk full = new();
        Assert.Throws<IOException>(() => map.WriteText(full));
        Assert.Equal(1, full.Writes);
    }

    private static async Task CheckAsync(string name, Func<FaultRun, int, Task> check)
    {
        FaultyImage image = FaultyImage.Named(name);
        foreach (FaultyUse use in FaultyUse.All)
        {
            FaultRun run = await FaultRun.OfAsync(image, use);
            for (int read = 0; read < run.Reads; read += 1 + (run.Reads / MostRuns))
            {
                try
                {
                    await PoolLedger.CheckAsync(() => check(run, read));
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"{use.Name}, read {read} of {run.Reads}: {e.Message}", e);
                }
            }
        }
    }

    private sealed class FullDisk : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(byte[] buffer, int offset, int count) => Fail();

        public override void Write(ReadOnlySpan<byte> buffer) => Fail();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Fail();
            return default;
        }

        private void Fail()
        {
            Writes++;
            throw new IOException("no space is left");
        }
    }
}
