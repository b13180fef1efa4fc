using System.Runtime.ExceptionServices;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>Runs in the order of the disk, one after another.</summary>
internal interface IRunSource
{
    /// <summary>The next run; false behind the last.</summary>
    /// <exception cref="Qcow2Exception">There is one, and it can't be told.</exception>
    bool TryNext(out HostRun run);
}

/// <summary>
/// The one loop that merges: neighbours become one as they come. At most one run is held back, and it is told before an
/// error that ends the source is.
/// </summary>
/// <param name="source">What is to be merged.</param>
internal struct MergedRuns<TSource>(TSource source) : IRunSource
    where TSource : struct, IRunSource
{
    private TSource _source = source;
    private HostRun _held;
    private ExceptionDispatchInfo? _error;

    public bool TryNext(out HostRun run)
    {
        _error?.Throw();
        ref TSource source = ref _source;
        ref HostRun held = ref _held;
        try
        {
            while (source.TryNext(out HostRun next))
            {
                if (held.Length == 0)
                {
                    held = next;
                }
                else if (!RunMerging.TryExtend(ref held, next))
                {
                    run = held;
                    held = next;
                    return true;
                }
            }
        }
        catch (Qcow2Exception e) when (_held.Length > 0)
        {
            _error = ExceptionDispatchInfo.Capture(e);
        }

        run = held;
        held = default;
        return run.Length > 0;
    }
}

/// <summary>Runs that are listed already.</summary>
internal readonly struct ListedRuns(IEnumerator<HostRun> runs) : IRunSource
{
    public bool TryNext(out HostRun run)
    {
        bool any = runs.MoveNext();
        run = any ? runs.Current : default;
        return any;
    }
}
