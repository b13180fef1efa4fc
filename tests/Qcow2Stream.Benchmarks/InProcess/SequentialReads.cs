using BenchmarkDotNet.Attributes;
using DiscUtils.Streams;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>A disk from its start in 64 KiB reads, through streams.</summary>
public class SequentialReads : DiskBenchmark
{
    private const string AgainstRaw = "sequential 64 KiB reads";
    private const string AgainstVhdx = "sequential 64 KiB reads (vhdx)";

    // Far more than the processor's caches hold, and short enough to be repeated.
    private const long MostBytes = 256L << 20;

    private readonly byte[] _buffer = new byte[1 << 16];
    private Qcow2ChainStream _qcow2 = null!;
    private FileStream _raw = null!;
    private DiscUtils.Vhdx.Disk _vhdxDisk = null!;
    private SparseStream _vhdx = null!;

    internal override IReadOnlyList<string> Names => [AgainstRaw, AgainstVhdx];

    internal override IReadOnlyList<string> ComparedFiles => [Images.RandomRaw(), Images.RandomQcow2(), Images.RandomVhdx()];

    [Benchmark]
    public long Qcow2() => ReadThrough(_qcow2);

    [Benchmark]
    public long Raw() => ReadThrough(_raw);

    [Benchmark]
    public long Vhdx() => ReadThrough(_vhdx);

    internal override void Verify()
    {
        StreamComparison.SameBytes(_qcow2, _raw, "the stream of a qcow2 image");
        StreamComparison.SameBytes(_vhdx, _raw, "DiscUtils' stream of a vhdx image");
        long expected = Math.Min(MostBytes, _raw.Length);
        WrongResultException.ThrowUnless(Qcow2() == expected && Raw() == expected && Vhdx() == expected, "sequential reads end early");
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings) =>
    [
        timings.Speed(AgainstRaw, "FileStream, raw", nameof(Raw), nameof(Qcow2), atLeast: 0.9),
        timings.Speed(AgainstVhdx, "DiscUtils.Vhdx", nameof(Vhdx), nameof(Qcow2), atLeast: 1.0),
    ];

    protected override void Open()
    {
        _qcow2 = new Qcow2ChainStream(Images.RandomQcow2());
        _raw = File.OpenRead(Images.RandomRaw());

        // By path DiscUtils reads ahead, which is its faster way here and its slower one at random places.
        _vhdxDisk = new DiscUtils.Vhdx.Disk(Images.RandomVhdx(), FileAccess.Read);
        _vhdx = _vhdxDisk.Content;
    }

    protected override void Close()
    {
        _qcow2.Dispose();
        _raw.Dispose();
        _vhdxDisk.Dispose();
    }

    private long ReadThrough(Stream stream)
    {
        stream.Position = 0;
        long total = 0;
        int read;
        while (total < MostBytes && (read = stream.Read(_buffer, 0, _buffer.Length)) > 0)
        {
            total += read;
        }

        return total;
    }
}
