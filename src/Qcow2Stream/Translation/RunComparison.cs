using System.Runtime.CompilerServices;

namespace Qcow2Stream.Translation;

/// <summary>Where two disks over the same files differ by what their tables say, without reading any data.</summary>
internal static class RunComparison
{
    /// <summary>
    /// The runs of <paramref name="to"/> that are not in the same place in <paramref name="from"/>. Ranges known to be
    /// zeros in both are equal, no matter how; past the end of <paramref name="from"/> there is nothing.
    /// </summary>
    /// <param name="from">The disk that is there already.</param>
    /// <param name="to">The disk wanted.</param>
    /// <param name="async">False: each step has completed when it returns.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    public static async IAsyncEnumerable<HostRun> ChangesAsync(
        ChainTranslator from, ChainTranslator to, bool async, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long position = 0; position < to.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            HostRun after = await TranslateAsync(to, position, to.Length - position, async, cancellationToken).ConfigureAwait(false);
            HostRun before = position < from.Length
                ? await TranslateAsync(from, position, Math.Min(after.Length, from.Length - position), async, cancellationToken).ConfigureAwait(false)
                : HostRun.Unallocated(position, after.Length);
            if (!IsSame(before, after))
            {
                bool stored = after.Kind != RunKind.Compressed && after.HostLength > 0;
                yield return after with
                {
                    Length = before.Length,
                    HostLength = stored ? before.Length : after.HostLength,
                };
            }

            position += before.Length;
        }
    }

    private static ValueTask<HostRun> TranslateAsync(
        ChainTranslator translator, long guestOffset, long maxLength, bool async, CancellationToken cancellationToken) => async
        ? translator.TranslateAsync(guestOffset, maxLength, RunDetail.Metadata, cancellationToken)
        : new(translator.Translate(guestOffset, maxLength));

    private static bool IsSame(in HostRun before, in HostRun after)
    {
        if (IsZero(before) && IsZero(after))
        {
            return true;
        }

        return before.Kind == after.Kind
            && before.Depth == after.Depth
            && before.HostOffset == after.HostOffset
            && before.OffsetInCluster == after.OffsetInCluster
            && (before.Kind != RunKind.Compressed || before.HostLength == after.HostLength);
    }

    private static bool IsZero(in HostRun run) => run.Kind is RunKind.Zero or RunKind.Unallocated;
}
