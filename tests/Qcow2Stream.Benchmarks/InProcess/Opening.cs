using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>Opening a very large disk, and what is read of its file for it.</summary>
public class Opening : DiskBenchmark
{
    internal override IReadOnlyList<string> Names => [TimeName, BytesName];

    private static string TimeName => $"opening {ImageSizes.Text(Images.Sizes.Largest)}";

    private static string BytesName => TimeName + ": bytes read";

    [Benchmark]
    public long OpenLargest()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Images.Largest());
        return chain.Length;
    }

    internal override void Verify() =>
        WrongResultException.ThrowUnless(OpenLargest() == Images.Sizes.Largest, "the largest image has the wrong size");

    internal override IEnumerable<ResultRow> Rows(Timings timings) =>
    [
        new ResultRow { Name = TimeName, Peer = "", Ours = Duration.Nanoseconds(timings.Of(nameof(OpenLargest))), Target = Target.Time() },
        new ResultRow { Name = BytesName, Peer = "", Target = Target.Bytes(), Value = BytesRead() },
    ];

    protected override void Open()
    {
    }

    protected override void Close()
    {
    }

    private static long BytesRead()
    {
        using CountingStream file = new(File.OpenRead(Images.Largest()));
        using Qcow2Chain chain = Qcow2Chain.Open(file);
        return file.BytesRead;
    }
}
