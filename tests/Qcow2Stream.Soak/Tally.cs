namespace Qcow2Stream.Soak;

/// <summary>What has happened so far, counted by all threads.</summary>
internal sealed class Tally
{
    public long Reads;
    public long Cancellations;
    public long Disposals;
    public long EndedByDispose;
    private string? _difference;

    /// <summary>The first thing that was not as it must be; null if all was.</summary>
    public string? Difference => Volatile.Read(ref _difference);

    public void Differs(string what) => Interlocked.CompareExchange(ref _difference, what, null);
}
