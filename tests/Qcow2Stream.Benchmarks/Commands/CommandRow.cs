using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.Processes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>A command of the native binary against one that does the same: the time from start to end.</summary>
internal abstract class CommandRow(string name, CommandSetting setting) : IMeasurement
{
    private const string PeakPrefix = "peak memory: ";

    public IReadOnlyList<string> Names => PeakLimit is null ? [name] : [name, PeakPrefix + name];

    /// <summary>The most time ours may take, as a part of the peer's; null if there is no target.</summary>
    public double? TimeLimit { get; init; }

    /// <summary>The most memory ours may have resident, in MiB; null if it is not measured.</summary>
    public double? PeakLimit { get; init; }

    /// <summary>For what ends at once: how many pairs are run for one of the others.</summary>
    public int RunsFactor { get; init; } = 1;

    protected BenchmarkImages Images => setting.Images;

    protected abstract string PeerName { get; }

    /// <summary>Why the peer can't be run here, or null if it can.</summary>
    protected virtual string? WhyNot => null;

    public abstract void Verify();

    public virtual IEnumerable<ResultRow> Measure()
    {
        if (WhyNot is { } reason)
        {
            yield return new ResultRow { Name = name, Peer = PeerName, Target = Target.Time(TimeLimit), WhyNot = reason };
            yield break;
        }

        PairedTimes times = PairedTimes.Measure(Ours(), Peer(), setting.Runs * RunsFactor);
        yield return new ResultRow
        {
            Name = name,
            Peer = PeerName,
            PeerMedian = Duration.Milliseconds(times.Peer),
            Ours = Duration.Milliseconds(times.Ours),
            Target = Target.Time(TimeLimit),
            Value = times.Ratio,
        };
        if (PeakLimit is { } limit)
        {
            ResultRow peak = new() { Name = PeakPrefix + name, Peer = "", Target = Target.Mebibytes(limit), WhyNot = PeakMemory.WhyNot };
            yield return PeakMemory.WhyNot is null ? peak with { Value = PeakMemory.Measure(Ours()) } : peak;
        }
    }

    protected abstract ProgramCall Ours();

    protected abstract ProgramCall Peer();

    protected ProgramCall Qcow2(params string[] arguments) => new(setting.NativeBinary, arguments);

    protected static ProgramCall QemuImg(params string[] arguments) => new("qemu-img", arguments);
}
