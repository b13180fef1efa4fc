namespace Qcow2Stream.Copying;

/// <summary>Counts what is done of a long operation, and tells whoever asks.</summary>
/// <param name="progress">Is told; null if nobody asks.</param>
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
