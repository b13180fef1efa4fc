using Qcow2Stream.Format;
using Qcow2Stream.Layers;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Mapping;

/// <summary>
/// Counts what one layer stores, by the answers of its own translator, and how much of that is seen, by those of the chain's.
/// </summary>
/// <param name="request">What is asked.</param>
/// <param name="depth">The layer.</param>
internal sealed class LayerTally(RunRequest request, int depth)
{
    private long _data;
    private long _compressed;
    private long _compressedHost;
    private long _zero;
    private long _hidden;
    private long _hiddenHost;
    private long _fragments;
    private long _hostEnd = HostRun.Nowhere;

    /// <summary>Counts a range of the layer's own disk, which may be longer than the chain's.</summary>
    /// <param name="start">In bytes.</param>
    /// <param name="end">In bytes; the count ends with the layer's disk.</param>
    public void Count(long start, long end)
    {
        ITranslator own = request.Chain.Layers[depth].Translator.ForWalk();
        ChainTranslator all = request.Chain.Translator.ForWalk();
        MergedRuns<HostRun, TranslatedRuns<ExactView>> runs = new(
            new(request, new ChainTranslator([own], depth), start, Math.Min(end, own.Length), Math.Min(end, own.Length)));
        while (runs.TryNext(out HostRun run))
        {
            if (run.Kind is RunKind.Data or RunKind.Compressed)
            {
                long taken = CountStored(run);
                long hidden = depth == 0 ? 0 : run.Length - SeenOf(run, all);
                _hidden += hidden;
                _hiddenHost += run.Kind == RunKind.Data ? hidden : hidden == run.Length ? taken : 0;
            }
            else if (run.Kind != RunKind.Unallocated)
            {
                _zero += run.Length;
            }
        }
    }

    public LayerSummary ToSummary()
    {
        Layer layer = request.Chain.Layers[depth];
        return new LayerSummary
        {
            Depth = depth,
            Path = layer.ClusterFile.Path,
            FormatName = layer.FormatName,
            DataBytes = _data,
            CompressedBytes = _compressed,
            CompressedHostBytes = _compressedHost,
            ZeroBytes = _zero,
            HiddenBytes = _hidden,
            HiddenHostBytes = _hiddenHost,
            Fragments = _fragments,
        };
    }

    /// <summary>Counts a run, and says how many bytes of the file it takes in addition to those before it.</summary>
    private long CountStored(in HostRun run)
    {
        // A reader that does not give the position is taken at its word that there is one.
        bool goesOn = run.HasHostOffset ? run.HostOffset <= _hostEnd && run.HostOffset > _hostEnd - Sector.Size : _fragments > 0;
        long taken = run.Length;
        if (run.Kind == RunKind.Compressed)
        {
            taken = run.HostLength - (goesOn ? _hostEnd - run.HostOffset : 0);
            _compressed += run.Length;
            _compressedHost += taken;
        }
        else
        {
            _data += run.Length;
        }

        _fragments += goesOn ? 0 : 1;
        _hostEnd = run.HasHostOffset ? run.HostOffset + run.HostLength : _hostEnd;
        return taken;
    }

    /// <summary>How much of a run of this layer the chain takes from here.</summary>
    private long SeenOf(in HostRun run, ChainTranslator all)
    {
        long seen = 0;
        long end = Math.Min(run.GuestEnd, all.Length);
        for (long position = run.GuestOffset; position < end;)
        {
            request.ThrowIfEnded();
            HostRun answer = all.Translate(position, end - position, request.Detail);
            seen += answer.Depth == depth ? answer.Length : 0;
            position = answer.GuestEnd;
        }

        return seen;
    }
}
