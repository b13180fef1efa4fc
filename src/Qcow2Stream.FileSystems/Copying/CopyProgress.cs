using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Copying;

/// <summary>Counts what is copied, and reports it if asked.</summary>
/// <param name="progress">Receives the counts; may be null.</param>
/// <param name="total">How many bytes there are.</param>
internal sealed class CopyProgress(IProgress<WorkProgress>? progress, long total)
{
    public long Done { get; private set; }

    /// <summary>Counts what there is, if progress is reported. What can't be read isn't counted; the copy will report it.</summary>
    public static CopyProgress Of(GuestEntry source, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        if (progress is null)
        {
            return new CopyProgress(null, total: 0);
        }

        long total = LengthOf(source);
        if (source.Kind == GuestEntryKind.Directory)
        {
            foreach (WalkStep below in new TreeWalk(new Faults(_ => { }), cancellationToken).Below(source))
            {
                total = long.CreateSaturating((Int128)total + LengthOf(below.Entry));
            }
        }

        return new CopyProgress(progress, total);
    }

    public void Add(long bytes)
    {
        Done += bytes;
        progress?.Report(new WorkProgress(Done, Math.Max(Done, total)));
    }

    private static long LengthOf(GuestEntry entry)
    {
        try
        {
            return entry.Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
