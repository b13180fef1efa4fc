namespace Qcow2Stream.Copying;

/// <summary>Counts what is done of a long operation, and reports it if asked.</summary>
/// <param name="progress">Receives the counts; may be null.</param>
/// <param name="total">How much there is to do, as the tables said before it began.</param>
internal sealed class ByteCount(IProgress<WorkProgress>? progress, long total)
{
    private long _done;

    /// <summary>So many bytes more are done; a file system may have filled holes since they were counted.</summary>
    public void Add(long bytes)
    {
        _done += bytes;
        progress?.Report(new WorkProgress(_done, Math.Max(_done, total)));
    }
}
