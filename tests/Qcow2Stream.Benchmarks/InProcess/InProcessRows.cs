using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>The rows that one class of benchmarks makes.</summary>
internal sealed class InProcessRows<T>(BenchmarkPlan plan) : IMeasurement
    where T : DiskBenchmark, new()
{
    public IReadOnlyList<string> Names { get; } = new T().Names;

    public void Verify()
    {
        T benchmark = new();
        benchmark.SetUp();
        try
        {
            benchmark.Verify();
        }
        finally
        {
            benchmark.TearDown();
        }
    }

    public IEnumerable<ResultRow> Measure()
    {
        T benchmark = new();
        foreach (string path in benchmark.ComparedFiles)
        {
            PageCache.Load(path);
        }

        return benchmark.Rows(Timings.Measure<T>(plan));
    }
}
