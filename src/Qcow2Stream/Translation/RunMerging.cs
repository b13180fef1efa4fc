using System.Runtime.ExceptionServices;

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

    /// <summary>The same for what comes asynchronously: one piece is held back, and it is returned before an error that ends the source.</summary>
    public static async IAsyncEnumerable<T> MergeAsync<T>(this IAsyncEnumerable<T> runs)
        where T : struct, IMergeable<T>
    {
        T held = default;
        ExceptionDispatchInfo? error = null;
        IAsyncEnumerator<T> source = runs.GetAsyncEnumerator();
        await using (source.ConfigureAwait(false))
        {
            while (true)
            {
                try
                {
                    if (!await source.MoveNextAsync().ConfigureAwait(false))
                    {
                        break;
                    }
                }
                catch (Qcow2Exception e) when (!held.IsEmpty)
                {
                    error = ExceptionDispatchInfo.Capture(e);
                    break;
                }

                T next = source.Current;
                if (!held.IsEmpty && !T.TryExtend(ref held, next))
                {
                    yield return held;
                    held = next;
                }
                else if (held.IsEmpty)
                {
                    held = next;
                }
            }
        }

        if (!held.IsEmpty)
        {
            yield return held;
        }

        error?.Throw();
    }
}
