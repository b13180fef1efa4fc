using System.Diagnostics.Tracing;

namespace Qcow2Stream.Tests.Faults;

/// <summary>
/// Counts the buffers of the shared pool that a piece of work rents and gives back, on whatever threads it runs, and none of
/// what runs beside it: the pool reports on the thread that asks it, and the work's own context goes with it there.
/// </summary>
internal sealed class PoolLedger : EventListener
{
    private const string PoolSource = "System.Buffers.ArrayPoolEventSource";
    private const int Rented = 1;
    private const int Returned = 3;

    private static readonly AsyncLocal<Account?> Current = new();

    /// <summary>Does the work, and fails if a buffer is out at its end, or was given back twice.</summary>
    /// <returns>How many buffers were rented.</returns>
    public static async Task<int> CheckAsync(Func<Task> work)
    {
        Account account = new();
        Current.Value = account;
        try
        {
            await work();
        }
        finally
        {
            Current.Value = null;
        }

        lock (account)
        {
            Assert.All(account.Out, buffer => Assert.Equal(0, buffer.Value));
            return account.Rents;
        }
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == PoolSource)
        {
            EnableEvents(eventSource, EventLevel.Verbose);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventId is not (Rented or Returned) || Current.Value is not { } account)
        {
            return;
        }

        int buffer = (int)eventData.Payload![0]!;
        lock (account)
        {
            // The number is a hash, which two arrays may share.
            account.Out[buffer] = account.Out.GetValueOrDefault(buffer) + (eventData.EventId == Rented ? 1 : -1);
            account.Rents += eventData.EventId == Rented ? 1 : 0;
        }
    }

    private sealed class Account
    {
        public Dictionary<int, int> Out { get; } = [];

        public int Rents { get; set; }
    }
}
