using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>The runs of a range as the translator finds them, one question after another, as <typeparamref name="TView"/> has them.</summary>
/// <param name="request">What is asked.</param>
/// <param name="translator">The chain's, or one of its kind.</param>
/// <param name="start">In bytes, inside the disk.</param>
/// <param name="end">In bytes, inside the disk.</param>
/// <param name="firstEnd">How far the first run may extend past <paramref name="end"/>, if it covers all from start to end.</param>
internal struct TranslatedRuns<TView>(
    RunRequest request, ChainTranslator translator, long start, long end, long firstEnd) : IRunSource<HostRun>
    where TView : struct, IRunView
{
    private long _position = start;
    private long _limit = firstEnd;

    public bool TryNext(out HostRun run)
    {
        if (_position >= end)
        {
            run = default;
            return false;
        }

        request.ThrowIfEnded();
        run = TView.Of(request.Chain, translator.Translate(_position, _limit - _position, request.Detail));
        _position = run.GuestEnd;
        _limit = end;
        return true;
    }
}
