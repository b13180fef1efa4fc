using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>What BenchmarkDotNet measured of one class.</summary>
internal sealed class Timings
{
    private readonly Dictionary<string, BenchmarkReport> _reports;

    private Timings(Summary summary, BenchmarkPlan plan)
    {
        Plan = plan;
        _reports = summary.Reports.ToDictionary(report => report.BenchmarkCase.Descriptor.WorkloadMethod.Name);
        if (summary.HasCriticalValidationErrors || _reports.Count == 0 || _reports.Values.Any(report => !report.Success))
        {
            throw new InvalidOperationException(
                $"{summary.Title} could not be measured: {string.Join("; ", summary.ValidationErrors.Select(error => error.Message))}");
        }
    }

    public BenchmarkPlan Plan { get; }

    public static Timings Measure<T>(BenchmarkPlan plan)
    {
        // In this process: a project that BenchmarkDotNet made up would not build under this repository's rules.
        Job job = Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance)
            .WithWarmupCount(plan.Quick ? 2 : 4)
            .WithIterationCount(plan.Quick ? 5 : 11)
            .WithIterationTime(TimeInterval.FromMilliseconds(plan.Quick ? 50 : 250));
        ManualConfig config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(NullLogger.Instance)
            .WithOptions(ConfigOptions.DisableLogFile)
            .WithArtifactsPath(Path.Combine(plan.WorkDirectory, "BenchmarkDotNet"));
        return new Timings(BenchmarkRunner.Run<T>(config), plan);
    }

    /// <summary>The median time of a call, in nanoseconds.</summary>
    public double Of(string method) => _reports[method].ResultStatistics!.Median;

    /// <summary>What a call allocates, in bytes.</summary>
    public double AllocatedBy(string method) =>
        _reports[method].GcStats.GetBytesAllocatedPerOperation(_reports[method].BenchmarkCase) ?? throw new NotSupportedException();

    /// <summary>A row that says how many times as fast as the peer ours is.</summary>
    public ResultRow Speed(string name, string peer, string peerMethod, string ours, double? atLeast = null) =>
        Row(name, peer, peerMethod, ours) with { Target = Target.Speed(atLeast), Value = Of(peerMethod) / Of(ours) };

    /// <summary>A row that says which part of the peer's time ours takes.</summary>
    public ResultRow Time(string name, string peer, string peerMethod, string ours, double? atMost = null) =>
        Row(name, peer, peerMethod, ours) with { Target = Target.Time(atMost), Value = Of(ours) / Of(peerMethod) };

    private ResultRow Row(string name, string peer, string peerMethod, string ours) => new()
    {
        Name = name,
        Peer = peer,
        PeerMedian = Duration.Nanoseconds(Of(peerMethod)),
        Ours = Duration.Nanoseconds(Of(ours)),
        Target = default,
    };
}
