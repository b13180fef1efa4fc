using System.Collections.Concurrent;
using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream.Tests.Remote;

/// <summary>What is asked for, and with which lease, without a server.</summary>
public sealed class RequestPlannerTests
{
    private const int Memory = 32;
    private const int MaxAhead = 8;
    private const int MaxRequest = 16;

    private static readonly RemoteVersion Version = new(1000L * Block.Size, Tag: null, LastModified: null, IsOld: false);

    private readonly BlockCache _cache = new(capacity: 2 * Memory, length => new byte[length]);

    [Fact]
    public void MissingBlocks_AreOneRequestThatNeedNotWait()
    {
        RequestSlots slots = new(turns: 1, Memory);
        RequestPlan plan = PlannerOf(slots).Plan(Version, (3 * Block.Size) + 5, 2 * Block.Size);
        Assert.Equal([3, 4, 5], Numbers(plan.Blocks));
        Assert.NotNull(plan.Missing);
        Assert.Equal([3, 4, 5], Numbers(plan.Missing.Blocks));
        Assert.Equal((Version, 3L * Block.Size, 3L * Block.Size), (plan.Missing.Version, plan.Missing.Offset, plan.Missing.Remaining));
        Assert.Equal(3, plan.Missing.Lease.Blocks);
        Assert.Null(plan.Ahead);
        Assert.Null(slots.TryLease(1));
        plan.Missing.Lease.Dispose();
        FreeSlots.AssertAll(slots, turns: 1, Memory);
    }

    [Fact]
    public void BlocksOnTheirWay_AreNotAskedForAgain()
    {
        RequestSlots slots = new(turns: 6, Memory);
        RequestPlanner planner = PlannerOf(slots);
        RequestPlan first = Plan(planner, 5, 2);
        RequestPlan again = Plan(planner, 5, 2);
        Assert.Equal(first.Blocks, again.Blocks);
        Assert.Null(again.Missing);
        Assert.Null(again.Ahead);

        // Up to them, and then only them.
        RequestPlan upToThem = Plan(planner, 3, 10);
        Assert.Equal([3, 4], Numbers(upToThem.Blocks));
        Assert.Equal([3, 4], Numbers(upToThem.Missing?.Blocks));
        RequestPlan fromThemOn = Plan(planner, 5, 10);
        Assert.Equal([5, 6], Numbers(fromThemOn.Blocks));
        Assert.Null(fromThemOn.Missing);
    }

    [Fact]
    public void LargeRead_IsCutToOneRequest()
    {
        RequestPlan plan = Plan(PlannerOf(new RequestSlots(turns: 6, Memory)), 2, 100);
        Assert.Equal(MaxRequest, plan.Blocks.Count);
        Assert.Equal(MaxRequest, plan.Missing?.Blocks.Count);
    }

    [Fact]
    public void Read_EndsWithTheFile()
    {
        RequestPlanner planner = PlannerOf(new RequestSlots(turns: 6, Memory));
        RemoteVersion version = Version with { Length = (5 * Block.Size) + 100 };
        planner.Plan(version, 2 * Block.Size, 2 * Block.Size);
        RequestPlan plan = planner.Plan(version, 4 * Block.Size, 100 * Block.Size);
        Assert.Equal([4, 5], Numbers(plan.Blocks));
        Assert.Equal(Block.Size + 100, plan.Missing?.Remaining);
        Assert.Null(plan.Ahead);
    }

    [Fact]
    public void FrontToBack_ReadsAheadInARequestOfItsOwn()
    {
        RequestSlots slots = new(turns: 6, Memory);
        RequestPlanner planner = PlannerOf(slots);
        Assert.Null(Plan(planner, 0, 2).Ahead);
        RequestPlan second = Plan(planner, 2, 2);
        Assert.Equal([2, 3], Numbers(second.Missing?.Blocks));
        Assert.Equal([4, 5], Numbers(second.Ahead?.Blocks));
        Assert.Equal(2, second.Ahead?.Lease.Blocks);

        // The first reader to reach them starts the next, twice as large; no other does.
        RequestPlan third = Plan(planner, 4, 1);
        Assert.Equal([4], Numbers(third.Blocks));
        Assert.Null(third.Missing);
        Assert.Equal([6, 7, 8, 9], Numbers(third.Ahead?.Blocks));
        Assert.Null(Plan(planner, 4, 2).Ahead);
        Assert.Null(Plan(planner, 5, 1).Ahead);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void LastTurn_IsNotForReadingAhead(int turns, bool readsAhead)
    {
        RequestSlots slots = new(turns, Memory);
        RequestPlanner planner = PlannerOf(slots);
        Plan(planner, 0, 1).Missing?.Lease.Dispose();
        RequestPlan plan = Plan(planner, 1, 1);
        Assert.Equal([1], Numbers(plan.Missing?.Blocks));
        Assert.Equal(readsAhead, plan.Ahead is not null);
        plan.Missing?.Lease.Dispose();
        plan.Ahead?.Lease.Dispose();
        FreeSlots.AssertAll(slots, turns, Memory);
    }

    [Fact]
    public void ReadingAheadOff_PlansNothingThatNobodyWants()
    {
        RequestPlanner planner = new(null!, _cache, new RequestSlots(turns: 6, Memory), maxAheadBlocks: 0, MaxRequest);
        for (int number = 0; number < 20; number++)
        {
            RequestPlan plan = Plan(planner, number, 1);
            Assert.Equal([number], Numbers(plan.Missing?.Blocks));
            Assert.Null(plan.Ahead);
            plan.Missing?.Lease.Dispose();
        }
    }

    [Fact]
    public void ReadingAhead_HoldsNoMoreThanItAsksFor()
    {
        RequestSlots slots = new(turns: 6, Memory);
        RequestPlanner planner = PlannerOf(slots);
        Plan(planner, 0, 2).Missing?.Lease.Dispose();
        Plan(planner, 5, 1).Missing?.Lease.Dispose();
        RequestPlan plan = Plan(planner, 2, 2);
        Assert.Equal([4], Numbers(plan.Ahead?.Blocks));
        using (slots.TryLease(Memory - 3))
        {
            Assert.Null(slots.TryLease(1));
        }

        // The next blocks are there already: what was taken to read ahead is given back.
        Plan(planner, 22, 1).Missing?.Lease.Dispose();
        Plan(planner, 20, 1).Missing?.Lease.Dispose();
        RequestPlan between = Plan(planner, 21, 1);
        Assert.NotNull(between.Missing);
        Assert.Null(between.Ahead);
        plan.Missing?.Lease.Dispose();
        plan.Ahead?.Lease.Dispose();
        between.Missing.Lease.Dispose();
        FreeSlots.AssertAll(slots, turns: 6, Memory);
    }

    /// <summary>A quarter of the cache is for what nobody needs yet.</summary>
    [Fact]
    public void ReadingAhead_StopsWhereNobodyFollows()
    {
        BlockCache cache = new(capacity: 16, length => new byte[length]);
        RequestPlanner planner = new(null!, cache, new RequestSlots(turns: 64, 64), MaxAhead, MaxRequest);
        Plan(planner, 0, 4);
        Assert.Equal([8, 9, 10, 11], Numbers(Plan(planner, 4, 4).Ahead?.Blocks));
        Plan(planner, 100, 1);
        Assert.Null(Plan(planner, 101, 1).Ahead);
        Assert.Equal([12], Numbers(Plan(planner, 8, 1).Ahead?.Blocks));
    }

    [Fact]
    public async Task RequestThatWaitsForATurn_CarriesWhatIsReadAhead()
    {
        RequestSlots slots = new(turns: 1, Memory);
        RequestPlanner planner = PlannerOf(slots);
        RequestPlan first = Plan(planner, 0, 2);
        RequestPlan plan = Plan(planner, 2, 2);
        Assert.Equal([2, 3], Numbers(plan.Blocks));
        Assert.Equal([2, 3, 4, 5], Numbers(plan.Missing?.Blocks));
        Assert.Null(plan.Ahead);

        // It holds nothing before it has waited.
        using RequestSlots.Lease lease = plan.Missing!.Lease;
        first.Missing?.Lease.Dispose();
        FreeSlots.AssertAll(slots, turns: 1, Memory);
        await lease.TakeMemoryAsync(async: false, default);
        Assert.Null(slots.TryLease(Memory - 3));
        (await lease.TakeTurnAsync(async: false, default)).Dispose();
        lease.Dispose();
        FreeSlots.AssertAll(slots, turns: 1, Memory);
    }

    [Fact]
    public void RequestWithATurnButTooLittleMemory_WaitsWithNeither()
    {
        RequestSlots slots = new(turns: 2, Memory);
        RequestSlots.Lease other = slots.TryLease(Memory - 1)!;
        RequestPlan plan = Plan(PlannerOf(slots), 7, 2);
        Assert.Equal([7, 8], Numbers(plan.Missing?.Blocks));
        using (RequestSlots.Lease? last = slots.TryLease(1))
        {
            Assert.NotNull(last);
        }

        other.Dispose();
        FreeSlots.AssertAll(slots, turns: 2, Memory);
    }

    [Fact]
    public void WaitingRequest_IsNoLargerThanOthers()
    {
        RequestSlots slots = new(turns: 1, Memory);
        RequestPlanner planner = PlannerOf(slots);
        using RequestSlots.Lease? other = slots.TryLease(1);
        Plan(planner, 0, 12);
        RequestPlan plan = Plan(planner, 12, 12);
        Assert.Equal(12, plan.Blocks.Count);
        Assert.Equal(MaxRequest, plan.Missing?.Blocks.Count);
    }

    [Fact]
    public void FirstRequest_IsForOneBlockThatTheCacheDoesNotHaveYet()
    {
        RequestSlots slots = new(turns: 1, Memory);
        Filling first = PlannerOf(slots).PlanFirst();
        Assert.Equal([0], Numbers(first.Blocks));
        Assert.Equal(1, first.Lease.Blocks);
        Assert.Null(first.Version);
        Assert.False(_cache.Has(null!, 0));
        FreeSlots.AssertAll(slots, turns: 1, Memory);
    }

    [Fact]
    public void ManyReadersAtOnce_AskForNoBlockTwice()
    {
        RequestSlots slots = new(turns: 6, Memory);
        RequestPlanner planner = PlannerOf(slots);
        ConcurrentBag<Filling> requests = [];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, reader =>
        {
            Random random = new(reader);
            for (int number = reader * 20; number < 900; number += random.Next(1, 4))
            {
                RequestPlan plan = Plan(planner, number, random.Next(1, 4));
                foreach (Filling? request in new[] { plan.Missing, plan.Ahead })
                {
                    if (request is not null)
                    {
                        requests.Add(request);
                        request.Lease.Dispose();
                    }
                }
            }
        });
        long[] asked = [.. requests.SelectMany(request => Numbers(request.Blocks))];
        Assert.Equal(asked.Length, asked.Distinct().Count());
        Assert.Superset(asked.ToHashSet(), Enumerable.Range(0, 1000).Select(number => (long)number).ToHashSet());
        FreeSlots.AssertAll(slots, turns: 6, Memory);
    }

    private RequestPlanner PlannerOf(RequestSlots slots) => new(null!, _cache, slots, MaxAhead, MaxRequest);

    private static RequestPlan Plan(RequestPlanner planner, int number, int count) =>
        planner.Plan(Version, (long)number * Block.Size, count * Block.Size);

    private static long[] Numbers(IEnumerable<Block>? blocks) => [.. (blocks ?? []).Select(block => block.Key.Number)];
}
