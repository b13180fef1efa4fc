using System.Runtime.ExceptionServices;

namespace Qcow2Stream.Translation;

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
