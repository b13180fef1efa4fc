namespace Qcow2Stream.Translation;

/// <summary>
/// The descent through the chain: the only place where "unallocated" in one image becomes a question to the image
/// below it. Reading, mapping and extents all ask here.
/// </summary>
/// <param name="images">From the top down.</param>
/// <param name="firstDepth">The depth of the first of them, where it is not the top of its chain.</param>
internal sealed class ChainTranslator(ITranslator[] images, int firstDepth = 0)
{
    /// <summary>The size of the guest's disk in bytes.</summary>
    public long Length => images[0].Length;

    /// <inheritdoc cref="ITranslator.ForWalk"/>
    public ChainTranslator ForWalk() => new([.. images.Select(i => i.ForWalk())], firstDepth);

    /// <inheritdoc cref="ITranslator.MostWalks"/>
    public int MostWalks => images.Min(i => i.MostWalks);

    /// <summary>Finds the run at <paramref name="guestOffset"/>, wherever in the chain it is.</summary>
    /// <param name="guestOffset">From 0 to below <see cref="Length"/>.</param>
    /// <param name="maxLength">The most bytes to answer for; at least 1. The range ends inside the disk.</param>
    /// <param name="detail">How far to look.</param>
    /// <returns>
    /// A run of 1 to <paramref name="maxLength"/> bytes; <see cref="RunKind.Unallocated"/> means zeros that no layer
    /// holds, at the depth of the last layer that reaches so far.
    /// </returns>
    public HostRun Translate(long guestOffset, long maxLength, RunDetail detail = RunDetail.Metadata)
    {
        for (int depth = 0; ; depth++)
        {
            HostRun run = images[depth].Translate(guestOffset, maxLength, detail);
            if (!Descends(run, depth, out maxLength))
            {
                return run with { Depth = firstDepth + depth };
            }
        }
    }

    /// <inheritdoc cref="Translate"/>
    public async ValueTask<HostRun> TranslateAsync(
        long guestOffset, long maxLength, RunDetail detail, CancellationToken cancellationToken)
    {
        for (int depth = 0; ; depth++)
        {
            HostRun run = await images[depth].TranslateAsync(guestOffset, maxLength, detail, cancellationToken)
                .ConfigureAwait(false);
            if (!Descends(run, depth, out maxLength))
            {
                return run with { Depth = firstDepth + depth };
            }
        }
    }

    /// <summary>
    /// Decides whether the image below <paramref name="depth"/> is to be asked about <paramref name="run"/>, and
    /// about how many bytes of it: no more than the run, nor than that image holds.
    /// </summary>
    private bool Descends(in HostRun run, int depth, out long maxLength)
    {
        maxLength = 0;
        if (run.Kind != RunKind.Unallocated || depth + 1 == images.Length)
        {
            return false;
        }

        // Past the end of a shorter backing file there is nothing to ask: zeros, as of the image above it.
        maxLength = Math.Min(run.Length, images[depth + 1].Length - run.GuestOffset);
        return maxLength > 0;
    }
}
