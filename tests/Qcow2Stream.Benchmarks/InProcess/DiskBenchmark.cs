using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>Calls of the library, and of others that do the same, and the rows that they make. Derived classes are run by BenchmarkDotNet.</summary>
public abstract class DiskBenchmark
{
    internal const int BlockSize = 4096;

    /// <summary>What BenchmarkDotNet's own instances read.</summary>
    internal static BenchmarkImages Images { get; set; } = null!;

    internal abstract IReadOnlyList<string> Names { get; }

    /// <summary>Files of which the page cache must hold each in the same way, for reads of them are compared.</summary>
    internal virtual IReadOnlyList<string> ComparedFiles => [];

    [GlobalSetup]
    public void SetUp() => Open();

    [GlobalCleanup]
    public void TearDown() => Close();

    /// <summary>Shows that every method does what its name says, on what <see cref="SetUp"/> opened.</summary>
    internal abstract void Verify();

    internal abstract IEnumerable<ResultRow> Rows(Timings timings);

    protected abstract void Open();

    protected abstract void Close();

    /// <summary>Seeded places of 4 KiB blocks on a disk.</summary>
    internal static long[] BlockOffsets(long diskSize)
    {
        SeededRandom random = new(seed: 6);
        return [.. Enumerable.Range(0, 1 << 14).Select(_ => random.Next(diskSize / BlockSize) * BlockSize)];
    }
}
