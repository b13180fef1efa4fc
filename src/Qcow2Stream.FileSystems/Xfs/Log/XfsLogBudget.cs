namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>How much memory a replay may take: for what it writes, for transactions that are not complete, and for its tables.</summary>
/// <param name="most">In bytes.</param>
internal sealed class XfsLogBudget(long most)
{
    /// <summary>About what an object of the runtime takes beside its content.</summary>
    public const int Overhead = 64;

    // New inodes are a few bytes in the log, and many on the volume. Those of a log that is right are different ones.
    private const int TimesWorked = 8;

    private long _taken;
    private long _worked;

    /// <exception cref="GuestException">It is more than may be taken.</exception>
    public void Take(long bytes)
    {
        _taken += bytes;
        if (_taken > most)
        {
            throw TooMuch();
        }
    }

    public void Return(long bytes) => _taken -= bytes;

    /// <summary>Counts what is read or written without being in the log; more than several times as much as may be kept is no work for a replay.</summary>
    public void Work(long bytes)
    {
        _worked += bytes;
        if (_worked / TimesWorked > most)
        {
            throw TooMuch();
        }
    }

    private GuestException TooMuch() => new($"it would take more than {most} bytes of memory: {nameof(GuestOptions)}.{nameof(GuestOptions.MaxJournalBytes)} allows more");
}
