namespace Qcow2Stream.Translation;

/// <summary>Runs that are listed already.</summary>
internal readonly struct ListedRuns(IEnumerator<HostRun> runs) : IRunSource
{
    public bool TryNext(out HostRun run)
    {
        bool any = runs.MoveNext();
        run = any ? runs.Current : default;
        return any;
    }
}
