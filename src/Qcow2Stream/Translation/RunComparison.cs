namespace Qcow2Stream.Translation;

/// <summary>Where two disks over the same files differ by what their tables say, without reading any data.</summary>
internal static class RunComparison
{
    /// <summary>
    /// The runs of <paramref name="to"/> that are not in the same place in <paramref name="from"/>. Ranges known to be
    /// zeros in both are equal, whoever says so; behind the end of <paramref name="from"/> there is nothing.
    /// </summary>
    public static IEnumerable<HostRun> Changes(ChainTranslator from, ChainTranslator to)
    {
        for (long position = 0; position < to.Length;)
        {
            HostRun after = to.Translate(position, to.Length - position);
            HostRun before = position < from.Length
                ? from.Translate(position, Math.Min(after.Length, from.Length - position))
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
