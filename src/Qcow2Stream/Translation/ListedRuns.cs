namespace Qcow2Stream.Translation;

/// <summary>Pieces that are listed already.</summary>
internal readonly struct ListedRuns<T>(IEnumerator<T> runs) : IRunSource<T>
    where T : struct
{
    public bool TryNext(out T run)
    {
        bool any = runs.MoveNext();
        run = any ? runs.Current : default;
        return any;
    }
}
