using System.Runtime.ExceptionServices;
using DiscUtils.Streams;

namespace Qcow2Stream.Copying;

/// <summary>
/// Ranges for two that take them at their own pace, and get the same: their source may say something else if asked again,
/// as a file system does of holes that are filled meanwhile.
/// </summary>
/// <param name="ranges">Is enumerated once, as far as one of the two has come.</param>
/// <remarks>Belongs to one thread at a time.</remarks>
internal sealed class SharedRanges(IEnumerable<StreamExtent> ranges) : IDisposable
{
    private readonly IEnumerator<StreamExtent> _source = ranges.GetEnumerator();
    private readonly Queue<StreamExtent> _first = [];
    private readonly Queue<StreamExtent> _second = [];
    private ExceptionDispatchInfo? _error;

    public IEnumerable<StreamExtent> First => Take(_first);

    public IEnumerable<StreamExtent> Second => Take(_second);

    public void Dispose() => _source.Dispose();

    private IEnumerable<StreamExtent> Take(Queue<StreamExtent> mine)
    {
        while (mine.Count > 0 || Advance())
        {
            yield return mine.Dequeue();
        }
    }

    private bool Advance()
    {
        _error?.Throw();
        try
        {
            if (!_source.MoveNext())
            {
                return false;
            }
        }
        catch (Qcow2Exception e)
        {
            // For the other one too.
            _error = ExceptionDispatchInfo.Capture(e);
            throw;
        }

        _first.Enqueue(_source.Current);
        _second.Enqueue(_source.Current);
        return true;
    }
}
