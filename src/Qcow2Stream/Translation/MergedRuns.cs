using System.Runtime.ExceptionServices;

namespace Qcow2Stream.Translation;

/// <summary>
/// The one loop that merges: neighbours become one as they come. At most one piece is held back, and it is returned before an
/// error that ends the source is.
/// </summary>
/// <param name="source">What is to be merged.</param>
internal struct MergedRuns<T, TSource>(TSource source) : IRunSource<T>
    where T : struct, IMergeable<T>
    where TSource : struct, IRunSource<T>
{
    private TSource _source = source;
    private T _held;
    private ExceptionDispatchInfo? _error;

    public bool TryNext(out T run)
    {
        _error?.Throw();
        ref TSource source = ref _source;
        ref T held = ref _held;
        try
        {
            while (source.TryNext(out T next))
            {
                if (held.IsEmpty)
                {
                    held = next;
                }
                else if (!T.TryExtend(ref held, next))
                {
                    run = held;
                    held = next;
                    return true;
                }
            }
        }
        catch (Qcow2Exception e) when (!_held.IsEmpty)
        {
            _error = ExceptionDispatchInfo.Capture(e);
        }

        run = held;
        held = default;
        return !run.IsEmpty;
    }
}
