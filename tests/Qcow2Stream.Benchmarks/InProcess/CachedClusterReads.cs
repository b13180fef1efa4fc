using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>4 KiB of a compressed cluster that was decompressed before, against copying 4 KiB in memory.</summary>
public class CachedClusterReads : DiskBenchmark
{
    private const string Name = "4 KiB of a cached zlib cluster";
    private const int Offset = 3 * BlockSize;

    private readonly byte[] _buffer = new byte[BlockSize];
    private readonly byte[] _source = new byte[1 << 16];
    private Qcow2Chain _chain = null!;

    internal override IReadOnlyList<string> Names => [Name];

    [Benchmark]
    public int Cached() => _chain.ReadAt(Offset, _buffer);

    [Benchmark]
    public byte Copy()
    {
        _source.AsSpan(Offset, BlockSize).CopyTo(_buffer);
        return _buffer[0];
    }

    internal override void Verify()
    {
        using FileStream raw = File.OpenRead(Images.FilesRaw());
        for (int run = 0; run < 2; run++)
        {
            _buffer.AsSpan().Clear();
            WrongResultException.ThrowUnless(Cached() == BlockSize, "a cached cluster gives too little");
            StreamComparison.SameBlock(_buffer, raw, Offset, "a cached cluster");
        }

        Copy();
        WrongResultException.ThrowUnless(_buffer.AsSpan().SequenceEqual(_source.AsSpan(Offset, BlockSize)), "copying is wrong");
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings) =>
        [timings.Time(Name, "copying 4 KiB", nameof(Copy), nameof(Cached))];

    protected override void Open() => _chain = Qcow2Chain.Open(Images.FilesZlib());

    protected override void Close() => _chain.Dispose();
}
