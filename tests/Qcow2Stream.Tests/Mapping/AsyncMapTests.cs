using DiscUtils.Streams;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Mapping;

/// <summary>Maps, changes and dirty extents for callers that must not block a thread: the same, piece by piece.</summary>
public sealed class AsyncMapTests
{
    [Theory]
    [InlineData("chain-3.qcow2")]
    [InlineData("extended-l2.qcow2")]
    [InlineData("zlib.qcow2")]
    [InlineData("empty.qcow2")]
    public async Task Map_IsTheSame(string image)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image(image));
        Assert.Equal(chain.Map(), await List(chain.Map().AsAsyncEnumerable()));
        Assert.Equal(chain.Map(5000, 30_001).WithHostHoles(), await List(chain.Map(5000, 30_001).WithHostHoles().AsAsyncEnumerable()));
    }

    [Fact]
    public async Task Changes_AreTheSame()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("snapshots.qcow2"));
        foreach (Qcow2Snapshot snapshot in chain.GetSnapshots())
        {
            DiskPoint from = DiskPoint.Snapshot(snapshot.Id);
            Assert.Equal(chain.GetChanges(from, DiskPoint.Active), await List(chain.GetChangesAsync(from, DiskPoint.Active)));
        }
    }

    [Fact]
    public async Task DirtyExtents_AreTheSame()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("bitmaps.qcow2"));
        Qcow2Bitmap bitmap = await chain.GetBitmapAsync("fine");
        List<StreamExtent> dirty = await List(bitmap.GetDirtyExtentsAsync());
        Assert.NotEmpty(dirty);
        Assert.Equal(bitmap.GetDirtyExtents(), dirty);
        Assert.Equal(bitmap.GetDirtyExtents(100_000, 50_000), await List(bitmap.GetDirtyExtentsAsync(100_000, 50_000)));
    }

    /// <summary>What comes before damage is returned, and then the damage.</summary>
    [Fact]
    public async Task Damage_ComesAfterWhatIsInFrontOfIt()
    {
        byte[] image = new Qcow2Builder { ClusterBits = 9, Size = 1 << 20, Clusters = [GuestClusters.Data(0, 1), GuestClusters.Data(1000, 2)] }.Build().ToBytes();
        using Qcow2Chain sound = Qcow2Chain.Open(new MemoryStream(image));
        MapExtent last = sound.Map().Last(e => e.Kind == MapKind.Data);

        // The second table's entry is made to point past the end of the file.
        using Qcow2Chain cut = Qcow2Chain.Open(new MemoryStream(image[..(int)last.HostOffset!.Value]));
        List<MapExtent> told = [];
        await Assert.ThrowsAsync<Qcow2FormatException>(async () =>
        {
            await foreach (MapExtent extent in cut.Map().AsAsyncEnumerable())
            {
                told.Add(extent);
            }
        });
        Assert.Equal(sound.Map().TakeWhile(e => e.Start < last.Start), told);
    }

    /// <summary>Tables that are known take no waiting, in which a token would be looked at.</summary>
    [Fact]
    public async Task CancelledOnTheWay_EndsWithinATable()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("chain-3.qcow2"));
        Assert.True(chain.Map().Count() > 2);
        using CancellationTokenSource stop = new();
        int listed = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (MapExtent extent in chain.Map().AsAsyncEnumerable(stop.Token))
            {
                listed++;
                await stop.CancelAsync();
            }
        });
        Assert.Equal(1, listed);
    }

    [Fact]
    public async Task Cancelled_Ends()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Repository.Image("snapshots.qcow2"));
        CancellationToken cancelled = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => List(chain.Map().AsAsyncEnumerable(cancelled)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => List(chain.Map().WithCancellation(cancelled).AsAsyncEnumerable()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => List(chain.GetChangesAsync(DiskPoint.Layer(0), DiskPoint.Active, cancelled)));
        Assert.ThrowsAny<OperationCanceledException>(() => chain.GetChanges(DiskPoint.Layer(0), DiskPoint.Active, cancelled).Count());
    }

    private static async Task<List<T>> List<T>(IAsyncEnumerable<T> items)
    {
        List<T> list = [];
        await foreach (T item in items)
        {
            list.Add(item);
        }

        return list;
    }
}
