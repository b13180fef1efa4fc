using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>Counts what a map shows.</summary>
internal static class MapTally
{
    /// <summary>Counts a range inside the disk.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="start">In bytes.</param>
    /// <param name="end">In bytes.</param>
    public static MapSummary Of(RunRequest request, long start, long end)
    {
        long stored = 0;
        long zero = 0;
        TranslatedRuns<ExactView> runs = new(request, request.Chain.Translator.ForWalk(), start, end, end);
        while (runs.TryNext(out HostRun run))
        {
            stored += run.IsZero ? 0 : run.Length;
            zero += run.Kind is RunKind.Zero or RunKind.Hole ? run.Length : 0;
        }

        // What lies past the end of the disk belongs to a range that reaches it.
        long layerEnd = end == request.Chain.Length ? long.MaxValue : end;
        return new MapSummary
        {
            Length = end - start,
            StoredBytes = stored,
            ZeroBytes = zero,
            UnallocatedBytes = end - start - stored - zero,
            Layers = [.. Enumerable.Range(0, request.Chain.Layers.Count).Select(depth => LayerOf(request, depth, start, layerEnd))],
        };
    }

    private static LayerSummary LayerOf(RunRequest request, int depth, long start, long end)
    {
        LayerTally tally = new(request, depth);
        tally.Count(start, end);
        return tally.ToSummary();
    }
}
