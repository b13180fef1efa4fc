namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>All classes of benchmarks.</summary>
internal static class InProcessMeasurements
{
    public static IEnumerable<IMeasurement> Create(BenchmarkPlan plan) =>
    [
        new InProcessRows<SequentialReads>(plan),
        new InProcessRows<RandomReads>(plan),
        new InProcessRows<SteppedReads>(plan),
        new InProcessRows<CachedClusterReads>(plan),
        new InProcessRows<ChainReads>(plan),
        new InProcessRows<ThreadedReads>(plan),
        new InProcessRows<Copies>(plan),
        new InProcessRows<Opening>(plan),
        new InProcessRows<MapRanges>(plan),
    ];
}
