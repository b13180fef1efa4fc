using Microsoft.AspNetCore.Http;
using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Tests.Infrastructure;
using Block = Qcow2Stream.HostFiles.Http.Block;

namespace Qcow2Stream.Tests.Remote;

/// <summary>However a request ends, its turn and its memory are there for others.</summary>
public sealed class RemoteLeaseTests : IDisposable
{
    private const int Length = 16 * Block.Size;

    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private static readonly HttpFileOptions Fast = new()
    {
        RetryDelay = TimeSpan.FromMilliseconds(1),
        MaxRetries = 1,
        MaxRequestsAtOnce = 1,
        CacheBytes = 1 << 20,
    };

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly byte[] _content = GuestDisk.Noise(Length, seed: 12);

    public RemoteLeaseTests()
    {
        _server = new WebServer(_directory.Path);
        _directory.Write("disk.raw", _content);
    }

    /// <summary>What the server does.</summary>
    public enum Fault
    {
        None,
        OnceUnavailable,
        AlwaysUnavailable,
        Missing,
        ShortAnswers,
        BrokenOffOnce,
        AlwaysBrokenOff,
        Silent,
        SilentInTheMiddle,
    }

    public static TheoryData<bool> Ways => [false, true];

    public static TheoryData<Fault, bool, bool> Faults
    {
        get
        {
            TheoryData<Fault, bool, bool> rows = [];
            foreach (Fault fault in Enum.GetValues<Fault>())
            {
                foreach (bool waits in new[] { false, true })
                {
                    rows.Add(fault, waits, false);
                    rows.Add(fault, waits, true);
                }
            }

            return rows;
        }
    }

    private Uri Address => _server.AddressOf("disk.raw");

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Request_GivesBackAllHoweverItEnds(Fault fault, bool waits, bool async)
    {
        Serve(fault);
        RequestSlots slots = new(turns: 1, blocks: 4);
        HttpFileOptions options = fault is Fault.Silent or Fault.SilentInTheMiddle
            ? Fast with { IdleTimeout = TimeSpan.FromMilliseconds(200) }
            : Fast;
        Exception? error = await Record.ExceptionAsync(() => Fill(LeaseOf(slots, waits), options, async, default));
        Assert.Equal(fault is Fault.None or Fault.OnceUnavailable or Fault.ShortAnswers or Fault.BrokenOffOnce, error is null);
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task CancelledRequest_GivesBackAll(bool waits, bool async)
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        using CancellationTokenSource cancellation = new();
        _server.Before = async context =>
        {
            await cancellation.CancelAsync();
            return await Silence(context);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Fill(LeaseOf(slots, waits), Fast, async, cancellation.Token));
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Fill(LeaseOf(slots, waits), Fast, async, cancellation.Token));
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task RequestThatIsRefusedMemory_GivesBackAll(bool waits)
    {
        RequestSlots slots = new(turns: 1, blocks: 4);
        await Assert.ThrowsAsync<InsufficientMemoryException>(
            () => Fill(LeaseOf(slots, waits), Fast, async: true, default, _ => throw new InsufficientMemoryException()));
        Assert.Empty(_server.Requests);
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task RequestThatIsToBeSentAgain_LeavesItsTurnToOthers(bool async)
    {
        _server.Before = context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "30";
            return Task.FromResult(true);
        };
        RequestSlots slots = new(turns: 1, blocks: 4);
        using CancellationTokenSource cancellation = new();
        Task request = Fill(LeaseOf(slots, waits: false), Fast, async, cancellation.Token);
        Assert.True(SpinWait.SpinUntil(() => IsFree(slots, 1), Long));
        Assert.False(IsFree(slots, 2), "its memory is its own until it has ended");
        Assert.False(request.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request.WaitAsync(Long));
        FreeSlots.AssertAll(slots, turns: 1, blocks: 4);
    }

    /// <summary>With one turn, and memory for eight blocks, anything that is kept would soon be missed.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public async Task FileWithOneTurn_IsReadAfterAnyNumberOfFaults(bool async)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Address, new() { Http = Fast with { MaxRetries = 0 } });
        foreach (Fault fault in new[] { Fault.AlwaysUnavailable, Fault.Missing, Fault.AlwaysBrokenOff })
        {
            Serve(fault);
            for (int i = 0; i < 5; i++)
            {
                await Assert.ThrowsAsync<Qcow2Exception>(() => Task.Run(() => Read(chain, 4 * Block.Size, 4 * Block.Size, async)).WaitAsync(Long));
            }
        }

        Serve(Fault.None);
        Assert.Equal(_content, await Task.Run(() => Read(chain, 0, Length, async)).WaitAsync(Long));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task DisposedFile_LeavesItsTurnToOthersOfTheChain(bool async)
    {
        HttpSource source = new(Fast, Address);
        HttpHostFile silent = new(new Uri(Address + "?silent"), source, judge: null);
        using HttpHostFile other = new(Address, source, judge: null);
        byte[] bytes = new byte[Length];
        Assert.Equal(512, silent.ReadAt(0, bytes.AsSpan(0, 512)));
        TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _server.Before = async context =>
        {
            if (!context.Request.QueryString.HasValue)
            {
                return false;
            }

            arrived.TrySetResult();
            return await Silence(context);
        };

        // One has the turn, the others wait for it, and the last ones for memory too.
        Task[] reads = [.. Enumerable.Range(1, 4).Select(i => silent.ReadAtAsync(i * 3 * Block.Size, new byte[3 * Block.Size], default).AsTask())];
        await arrived.Task.WaitAsync(Long);
        Task<int> read = async
            ? other.ReadAtAsync(0, bytes, default).AsTask()
            : Task.Factory.StartNew(() => other.ReadAt(0, bytes), TaskCreationOptions.LongRunning);
        silent.Dispose();
        foreach (Task ended in reads)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => ended.WaitAsync(Long));
        }

        Assert.Equal(Length, await read.WaitAsync(Long));
        Assert.Equal(_content, bytes);
    }

    private static RequestSlots.Lease LeaseOf(RequestSlots slots, bool waits) =>
        waits ? slots.LeaseLater(3) : slots.TryLease(3) ?? throw new InvalidOperationException("not all is free");

    private static bool IsFree(RequestSlots slots, int count)
    {
        using RequestSlots.Lease? lease = slots.TryLease(count);
        return lease is not null;
    }

    /// <summary>Asks for the three blocks that the lease is for.</summary>
    private Task Fill(
        RequestSlots.Lease lease, HttpFileOptions options, bool async, CancellationToken cancellationToken, Func<int, byte[]>? allocate = null)
    {
        RangeClient client = new(Address, new HttpSource(options, Address, allocate), judge: null);
        Filling filling = new([.. Enumerable.Range(0, lease.Blocks).Select(number => new Block(null!, number, Block.Size))], version: null, lease);
        return async
            ? client.FillAsync(filling, async: true, cancellationToken).AsTask()
            : Task.Factory.StartNew(
                () => Assert.True(Completed(client.FillAsync(filling, async: false, cancellationToken)), "it has completed when it returns"),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
    }

    /// <summary>Whether it has completed; throws what it threw.</summary>
    private static bool Completed(ValueTask task)
    {
        if (task.IsCompleted)
        {
            task.GetAwaiter().GetResult();
            return true;
        }

        return false;
    }

    private static async Task<byte[]> Read(Qcow2Chain chain, int offset, int length, bool async)
    {
        byte[] bytes = new byte[length];
        Assert.Equal(length, async ? await chain.ReadAtAsync(offset, bytes) : chain.ReadAt(offset, bytes));
        return bytes;
    }

    private void Serve(Fault fault)
    {
        int requests = 0;
        _server.Before = async context =>
        {
            bool isFirst = Interlocked.Increment(ref requests) == 1;
            switch (fault)
            {
                case Fault.OnceUnavailable when isFirst:
                case Fault.AlwaysUnavailable:
                    context.Response.StatusCode = 503;
                    return true;
                case Fault.Missing:
                    context.Response.StatusCode = 404;
                    return true;
                case Fault.ShortAnswers:
                    await SendPart(context, 50_000, isWhole: true);
                    return true;
                case Fault.BrokenOffOnce when isFirst:
                case Fault.AlwaysBrokenOff:
                    await SendPart(context, 1000, isWhole: false);
                    context.Abort();
                    return true;
                case Fault.Silent:
                    return await Silence(context);
                case Fault.SilentInTheMiddle:
                    await SendPart(context, 1000, isWhole: false);
                    return await Silence(context);
                default:
                    return false;
            }
        };
    }

    private Task SendPart(HttpContext context, int count, bool isWhole) =>
        PartialAnswer.Send(context, _content, count, WebServer.TagOf(new FileInfo(_directory.File("disk.raw"))), isWhole);

    private static async Task<bool> Silence(HttpContext context)
    {
        TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
        return true;
    }
}
