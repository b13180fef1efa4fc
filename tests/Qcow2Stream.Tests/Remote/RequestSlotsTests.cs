using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Text;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Turns, memory and leases by themselves: who gets what, in which order, and that all of it is given back.</summary>
public sealed class RequestSlotsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    public static TheoryData<bool> Ways => [false, true];

    [Fact]
    public void LeaseDisposedTwice_GivesBackOnce()
    {
        RequestSlots slots = new(turns: 2, blocks: 4);
        RequestSlots.Lease first = Lease(slots, 2);
        RequestSlots.Lease second = Lease(slots, 2);
        first.Dispose();
        first.Dispose();
        using (Lease(slots, 2))
        {
            Assert.Null(slots.TryLease(1));
        }

        second.Dispose();
        FreeSlots.AssertAll(slots, turns: 2, blocks: 4);
    }

    [Fact]
    public void TooLittleMemory_LeasesNothing()
    {
        RequestSlots slots = new(turns: 2, blocks: 4);
        using (Lease(slots, 3))
        {
            Assert.Null(slots.TryLease(2));
            using (Lease(slots, 1))
            {
                Assert.Null(slots.TryLeaseAhead(1));
            }
        }

        FreeSlots.AssertAll(slots, turns: 2, blocks: 4);
    }

    [Fact]
    public void NoTurn_LeasesNothing()
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        using (Lease(slots, 1))
        {
            Assert.Null(slots.TryLease(1));
            Assert.Null(slots.TryLeaseAhead(1));
        }

        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(6)]
    public void ReadingAhead_NeverTakesTheLastTurn(int turns)
    {
        RequestSlots slots = new(turns, blocks: 100);
        List<RequestSlots.Lease> ahead = [];
        while (slots.TryLeaseAhead(2) is { } lease)
        {
            ahead.Add(lease);
        }

        Assert.Equal(turns - 1, ahead.Count);
        Lease(slots, 1).Dispose();
        ahead.ForEach(lease => lease.Dispose());
        FreeSlots.AssertAll(slots, turns, blocks: 100);
    }

    [Fact]
    public void ReadingAhead_TakesAsMuchMemoryAsThereIs()
    {
        RequestSlots slots = new(turns: 6, blocks: 8);
        Assert.Null(slots.TryLeaseAhead(0));
        using RequestSlots.Lease wanted = Lease(slots, 5);
        using (RequestSlots.Lease? ahead = slots.TryLeaseAhead(4))
        {
            Assert.Equal(3, ahead?.Blocks);
            Assert.Null(slots.TryLeaseAhead(4));
        }

        using (RequestSlots.Lease? ahead = slots.TryLeaseAhead(2))
        {
            Assert.Equal(2, ahead?.Blocks);
        }

        wanted.Dispose();
        FreeSlots.AssertAll(slots, turns: 6, blocks: 8);
    }

    [Fact]
    public void ShrunkLease_KeepsItsTurnAndTheMemoryOfTheRest()
    {
        RequestSlots slots = new(turns: 2, blocks: 8);
        RequestSlots.Lease lease = Lease(slots, 8);
        lease.Shrink(3);
        Assert.Equal(3, lease.Blocks);
        using (Lease(slots, 5))
        {
            Assert.Null(slots.TryLease(1));
        }

        Assert.Null(slots.TryLeaseAhead(1));
        lease.Dispose();
        FreeSlots.AssertAll(slots, turns: 2, blocks: 8);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task LeaseThatHasAll_WaitsForNothing(bool async)
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        using (RequestSlots.Lease lease = Lease(slots, 4))
        {
            Assert.True(lease.TakeMemoryAsync(async, default).AsTask().IsCompletedSuccessfully);
            (await lease.TakeTurnAsync(async, new CancellationToken(canceled: true))).Dispose();
        }

        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    /// <summary>The rule that keeps requests from waiting for each other in a circle.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task WaitingLease_GetsMemoryAndThenATurn(bool async)
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        RequestSlots.Lease first = Lease(slots, 4);
        using RequestSlots.Lease waiting = slots.LeaseLater(2);
        Task memory = Start(async, () => waiting.TakeMemoryAsync(async, default));
        Assert.False(memory.IsCompleted);
        first.Shrink(2);
        await memory.WaitAsync(Long);

        Task<RequestSlots.Lease.Turn> turn = Start(async, () => waiting.TakeTurnAsync(async, default));
        Assert.False(turn.IsCompleted);
        first.Dispose();
        using (await turn.WaitAsync(Long))
        {
            Assert.Null(slots.TryLease(1));
        }

        waiting.Dispose();
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Fact]
    public void Synchronously_NothingIsLeftToDoWhenTheCallReturns()
    {
        RequestSlots slots = new(turns: 2, blocks: 4);
        using (RequestSlots.Lease lease = slots.LeaseLater(3))
        {
            Assert.True(lease.TakeMemoryAsync(async: false, default).AsTask().IsCompletedSuccessfully);
            Assert.True(lease.TakeTurnAsync(async: false, default).AsTask().IsCompletedSuccessfully);
        }

        FreeSlots.AssertAll(slots, turns: 2, blocks: 4);
    }

    /// <summary>Two that had half of what they need would wait for each other.</summary>
    [Fact]
    public async Task Memory_IsTakenByOneRequestAtATime()
    {
        RequestSlots slots = new(turns: 4, blocks: 4);
        RequestSlots.Lease first = Lease(slots, 4);
        using RequestSlots.Lease large = slots.LeaseLater(3);
        using RequestSlots.Lease small = slots.LeaseLater(1);
        Task largeMemory = large.TakeMemoryAsync(async: true, default).AsTask();
        Task smallMemory = small.TakeMemoryAsync(async: true, default).AsTask();

        // Enough for the small one, and for one that comes only now: but the large one was first.
        first.Shrink(2);
        Assert.Null(slots.TryLease(1));
        Assert.Null(slots.TryLeaseAhead(1));
        Assert.False(largeMemory.IsCompleted);
        Assert.False(smallMemory.IsCompleted);

        first.Shrink(1);
        await largeMemory.WaitAsync(Long);
        Assert.False(smallMemory.IsCompleted);
        first.Dispose();
        await smallMemory.WaitAsync(Long);
        Assert.Null(slots.TryLease(1));

        large.Dispose();
        small.Dispose();
        FreeSlots.AssertAll(slots, turns: 4, blocks: 4);
    }

    [Fact]
    public async Task BetweenAttempts_OthersHaveTheTurnAndTheMemoryStays()
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        using RequestSlots.Lease lease = Lease(slots, 3);
        using (await lease.TakeTurnAsync(async: true, default))
        {
            Assert.Null(slots.TryLease(1));
        }

        Assert.Null(slots.TryLease(2));
        RequestSlots.Lease other = Lease(slots, 1);
        Task<RequestSlots.Lease.Turn> again = lease.TakeTurnAsync(async: true, default).AsTask();
        Assert.False(again.IsCompleted);
        other.Dispose();
        using (await again.WaitAsync(Long))
        {
            Assert.Null(slots.TryLease(1));
        }

        lease.Dispose();
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CancelledWhileItWaitsForMemory_GivesBackAllItHadGot(bool async)
    {
        RequestSlots slots = new(turns: 3, blocks: 4);
        RequestSlots.Lease first = Lease(slots, 3);
        RequestSlots.Lease waiting = slots.LeaseLater(2);
        using CancellationTokenSource cancellation = new();
        Task memory = Start(async, () => waiting.TakeMemoryAsync(async, cancellation.Token));

        // It has the last block as soon as nobody else can have that.
        Assert.True(SpinWait.SpinUntil(() => !IsFree(slots, 1), Long));
        RequestSlots.Lease next = slots.LeaseLater(1);
        Task nextMemory = next.TakeMemoryAsync(async: true, default).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => memory.WaitAsync(Long));
        waiting.Dispose();

        await nextMemory.WaitAsync(Long);
        Assert.Null(slots.TryLease(1));
        next.Dispose();
        first.Dispose();
        FreeSlots.AssertAll(slots, turns: 3, blocks: 4);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task CancelledWhileItWaitsForATurn_GivesBackItsMemory(bool async)
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        RequestSlots.Lease first = Lease(slots, 1);
        using CancellationTokenSource cancellation = new();
        using (RequestSlots.Lease waiting = slots.LeaseLater(3))
        {
            await waiting.TakeMemoryAsync(async, default);
            Task<RequestSlots.Lease.Turn> turn = Start(async, () => waiting.TakeTurnAsync(async, cancellation.Token));
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn.WaitAsync(Long));
        }

        first.Dispose();
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task DisposedLease_TakesNothingMore(bool async)
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        RequestSlots.Lease lease = Lease(slots, 2);
        lease.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => lease.TakeMemoryAsync(async, default).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => lease.TakeTurnAsync(async, default).AsTask());
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    /// <summary>Few turns, little memory, many requests of all kinds: each comes to an end.</summary>
    [Theory]
    [InlineData(1, 4)]
    [InlineData(3, 5)]
    public async Task ManyRequestsOfAllKinds_AllEndAndGiveBackAll(int turns, int blocks)
    {
        RequestSlots slots = new(turns, blocks);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => seed % 2 == 0
            ? MakeRequests(slots, blocks, seed, async: true).AsTask()
            : Start(async: false, () => MakeRequests(slots, blocks, seed, async: false)))).WaitAsync(Long);
        FreeSlots.AssertAll(slots, turns, blocks);
    }

    private static async ValueTask MakeRequests(RequestSlots slots, int blocks, int seed, bool async)
    {
        Random random = new(seed);
        for (int i = 0; i < 200; i++)
        {
            int count = random.Next(1, blocks + 1);
            using CancellationTokenSource cancellation = random.Next(8) == 0 ? new(millisecondsDelay: 1) : new();
            using RequestSlots.Lease lease = (random.Next(3) == 0 ? slots.TryLeaseAhead(count) : slots.TryLease(count))
                ?? slots.LeaseLater(count);
            try
            {
                await lease.TakeMemoryAsync(async, cancellation.Token);
                for (int attempts = random.Next(1, 4); attempts > 0; attempts--)
                {
                    using RequestSlots.Lease.Turn turn = await lease.TakeTurnAsync(async, cancellation.Token);
                    Thread.Yield();
                }
            }
            catch (OperationCanceledException)
            {
                // It gives back what it had.
            }
        }
    }

    private static RequestSlots.Lease Lease(RequestSlots slots, int count)
    {
        RequestSlots.Lease? lease = slots.TryLease(count);
        Assert.NotNull(lease);
        Assert.Equal(count, lease.Blocks);
        return lease;
    }

    private static bool IsFree(RequestSlots slots, int count)
    {
        using RequestSlots.Lease? lease = slots.TryLease(count);
        return lease is not null;
    }

    /// <summary>Starts what may wait: on a thread of its own if it blocks that.</summary>
    private static Task Start(bool async, Func<ValueTask> wait) =>
        async ? wait().AsTask() : Task.Factory.StartNew(() => wait().Now(), TaskCreationOptions.LongRunning);

    private static Task<T> Start<T>(bool async, Func<ValueTask<T>> wait) =>
        async ? wait().AsTask() : Task.Factory.StartNew(() => wait().Now(), TaskCreationOptions.LongRunning);
}
