namespace Qcow2Stream.Translation;

/// <summary>The one rule by which neighbouring runs become one.</summary>
internal static class RunMerging
{
    /// <summary>
    /// Makes <paramref name="next"/> a part of <paramref name="run"/> if it goes on where that ends: of one kind, from one
    /// layer, and in the file too, if they are in one. Parts of a compressed cluster go on inside the decompressed cluster.
    /// </summary>
    /// <returns>Whether it did; if not, <paramref name="run"/> stays as it was.</returns>
    public static bool TryExtend(ref HostRun run, in HostRun next)
    {
        if (run.GuestEnd != next.GuestOffset || run.Kind != next.Kind || run.Depth != next.Depth
            || run.HasHostOffset != next.HasHostOffset)
        {
            return false;
        }

        bool isOneCluster = run.Kind == RunKind.Compressed;
        if (run.HasHostOffset)
        {
            bool continues = isOneCluster
                ? run.HostOffset == next.HostOffset
                    && run.HostLength == next.HostLength
                    && run.OffsetInCluster + run.Length == next.OffsetInCluster
                : run.HostOffset + run.Length == next.HostOffset;
            if (!continues)
            {
                return false;
            }
        }

        run = run with
        {
            Length = run.Length + next.Length,
            HostLength = isOneCluster ? run.HostLength : run.HostLength + next.HostLength,
        };
        return true;
    }

    /// <summary>Merges neighbours as they come; see <see cref="MergedRuns{TSource}"/>.</summary>
    public static IEnumerable<HostRun> Merge(this IEnumerable<HostRun> runs)
    {
        using IEnumerator<HostRun> source = runs.GetEnumerator();
        MergedRuns<ListedRuns> merged = new(new ListedRuns(source));
        while (merged.TryNext(out HostRun run))
        {
            yield return run;
        }
    }
}
