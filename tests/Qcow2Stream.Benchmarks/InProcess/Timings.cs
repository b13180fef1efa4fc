using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Qcow2Stream.Benchmarks.Processes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>
/// What BenchmarkDotNet measured of one class, in several short rounds: it times one method after the other, and a
/// machine's speed changes meanwhile, so each round compares what was measured within seconds, and the rounds' median counts.
/// </summary>
internal sealed class Timings
{
    private readonly Dictionary<string, BenchmarkReport>[] _rounds;

    private Timings(Dictionary<string, BenchmarkReport>[] rounds, BenchmarkPlan plan)
    {
        _rounds = rounds;
        Plan = plan;
    }

    public BenchmarkPlan Plan { get; }

    public static Timings Measure<T>(BenchmarkPlan plan)
    {
        // In this process: a project that BenchmarkDotNet made up would not build under this repository's rules.
        Job job = Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(2)
            .WithIterationCount(5)
            .WithIterationTime(TimeInterval.FromMilliseconds(plan.Quick ? 50 : 100));
        ManualConfig config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(NullLogger.Instance)
            .WithOptions(ConfigOptions.DisableLogFile)
            .WithArtifactsPath(Path.Combine(plan.WorkDirectory, "BenchmarkDotNet"));
        int rounds = plan.Quick ? 1 : 5;
        return new Timings([.. Enumerable.Range(0, rounds).Select(_ => Reports(BenchmarkRunner.Run<T>(config)))], plan);
    }

    /// <summary>The median time of a call, in nanoseconds.</summary>
    public double Of(string method) => Median.Of(_rounds.Select(round => Of(round, method)));

    /// <summary>What a call allocates, in bytes.</summary>
    public double AllocatedBy(string method) => _rounds.Max(round =>
        round[method].GcStats.GetBytesAllocatedPerOperation(round[method].BenchmarkCase) ?? throw new NotSupportedException());

    /// <summary>A row that says how many times as fast as the peer ours is.</summary>
    public ResultRow Speed(string name, string peer, string peerMethod, string ours, double? atLeast = null) =>
        Row(name, peer, peerMethod, ours) with { Target = Target.Speed(atLeast), Value = Ratio(peerMethod, ours) };

    /// <summary>A row that says which part of the peer's time ours takes.</summary>
    public ResultRow Time(string name, string peer, string peerMethod, string ours, double? atMost = null) =>
        Row(name, peer, peerMethod, ours) with { Target = Target.Time(atMost), Value = Ratio(ours, peerMethod) };

    private static Dictionary<string, BenchmarkReport> Reports(Summary summary)
    {
        Dictionary<string, BenchmarkReport> reports =
            summary.Reports.ToDictionary(report => report.BenchmarkCase.Descriptor.WorkloadMethod.Name);
        if (summary.HasCriticalValidationErrors || reports.Count == 0 || reports.Values.Any(report => !report.Success))
        {
            throw new InvalidOperationException(
                $"{summary.Title} could not be measured: {string.Join("; ", summary.ValidationErrors.Select(error => error.Message))}");
        }

        return reports;
    }

    private static double Of(Dictionary<string, BenchmarkReport> round, string method) => round[method].ResultStatistics!.Median;

    private double Ratio(string method, string divisor) => Median.Of(_rounds.Select(round => Of(round, method) / Of(round, divisor)));

    private ResultRow Row(string name, string peer, string peerMethod, string ours) => new()
    {
        Name = name,
        Peer = peer,
        PeerMedian = Duration.Nanoseconds(Of(peerMethod)),
        Ours = Duration.Nanoseconds(Of(ours)),
        Target = default,
    };
}
