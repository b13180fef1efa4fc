namespace Qcow2Stream.Benchmarks.Images;

/// <summary>Cuts a disk into an exact number of runs, everywhere with the same chance.</summary>
internal static class RunLengths
{
    public static IEnumerable<(long First, int Count)> Cut(long clusters, int runs, SeededRandom random)
    {
        long start = 0;
        int cuts = runs - 1;
        for (long end = 1; end < clusters && cuts > 0; end++)
        {
            if (random.Next(clusters - end) < cuts)
            {
                yield return (start, (int)(end - start));
                start = end;
                cuts--;
            }
        }

        yield return (start, (int)(clusters - start));
    }
}
