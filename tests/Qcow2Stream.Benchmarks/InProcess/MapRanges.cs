using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>The map of a part of a large disk, against that of all of it; no table is cached when either starts.</summary>
public class MapRanges : DiskBenchmark
{
    private const long RangeLength = 1L << 30;

    private static string Name => $"map of {ImageSizes.Text(RangeLength)} of {ImageSizes.Text(Images.Sizes.Preallocated)} preallocated";

    // Not at the border of a table.
    private static long RangeStart => (Images.Sizes.Preallocated / 2) + (128L << 20);

    internal override IReadOnlyList<string> Names => [Name];

    [Benchmark]
    public int Whole()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Images.Preallocated());
        return chain.Map().Count();
    }

    [Benchmark]
    public int Range()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Images.Preallocated());
        return chain.Map(RangeStart, RangeLength).Count();
    }

    internal override void Verify()
    {
        using Qcow2Chain chain = Qcow2Chain.Open(Images.Preallocated());
        var range = chain.Map(RangeStart, RangeLength)
            .Select(extent => (extent.Start, extent.Length, extent.HostOffset))
            .ToArray();
        var partOfWhole = chain.Map()
            .Where(extent => extent.Start < RangeStart + RangeLength && extent.Start + extent.Length > RangeStart)
            .Select(extent =>
            {
                long start = Math.Max(extent.Start, RangeStart);
                long end = Math.Min(extent.Start + extent.Length, RangeStart + RangeLength);
                return (start, end - start, extent.HostOffset + (start - extent.Start));
            })
            .ToArray();
        WrongResultException.ThrowUnless(
            range.AsSpan().SequenceEqual(partOfWhole) && Range() == range.Length && Whole() >= range.Length,
            "the map of a range is not that part of the whole map");
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings) =>
        [timings.Time(Name, "the whole map", nameof(Whole), nameof(Range))];

    protected override void Open()
    {
    }

    protected override void Close()
    {
    }
}
