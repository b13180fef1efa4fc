using Qcow2Stream.Tests.Faults;

namespace Qcow2Stream.Tests.Concurrency;

/// <summary>Several threads close one chain.</summary>
public class DisposeAtOnceTests
{
    /// <summary>All of them wait for one read; each stream is then closed by one of them alone, and none below the read.</summary>
    [Fact]
    public async Task BesideARead_EachStreamIsDisposedOnce()
    {
        FaultyImage image = FaultyImage.Named("chain-3");
        FaultyHost host = image.Host();
        using ManualResetEventSlim isReading = new();
        using ManualResetEventSlim mayRead = new();
        Qcow2Chain chain = image.OpenStreams(host);
        host.Reading = (_, _, _) =>
        {
            isReading.Set();
            mayRead.Wait(CancellationToken.None);
            return Task.CompletedTask;
        };
        Task<Exception?> reading = Task.Run<Exception?>(() => Record.Exception(() => chain.ReadAt(0, new byte[10])));
        isReading.Wait();

        Thread[] closing = [.. Enumerable.Range(0, 4).Select(_ => new Thread(chain.Dispose) { IsBackground = true })];
        Assert.All(closing, thread => thread.Start());
        SpinWait.SpinUntil(() => closing.All(thread => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin)));
        mayRead.Set();

        // The read may have been the only one that it needed.
        Assert.True(await reading is null or ObjectDisposedException);
        Assert.All(closing, thread => thread.Join());
        host.CheckAllDisposed();
    }
}
