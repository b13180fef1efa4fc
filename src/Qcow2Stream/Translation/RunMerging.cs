namespace Qcow2Stream.Translation;

/// <summary>Merging of what is listed already.</summary>
internal static class RunMerging
{
    /// <summary>Merges neighbours as they come; see <see cref="MergedRuns{T, TSource}"/>.</summary>
    public static IEnumerable<T> Merge<T>(this IEnumerable<T> runs)
        where T : struct, IMergeable<T>
    {
        using IEnumerator<T> source = runs.GetEnumerator();
        MergedRuns<T, ListedRuns<T>> merged = new(new ListedRuns<T>(source));
        while (merged.TryNext(out T run))
        {
            yield return run;
        }
    }
}
