using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Images;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>4 KiB here and there on the same disk, in a chain and in one image.</summary>
public class ChainReads : DiskBenchmark
{
    private static readonly string Name = $"random 4 KiB through a chain of {BenchmarkImages.ChainLayers}";

    private readonly byte[] _buffer = new byte[BlockSize];
    private Qcow2Chain _layered = null!;
    private Qcow2Chain _flat = null!;
    private long[] _offsets = null!;
    private int _next;

    internal override IReadOnlyList<string> Names => [Name];

    [Benchmark]
    public int Layered() => _layered.ReadAt(NextOffset(), _buffer);

    [Benchmark]
    public int Flat() => _flat.ReadAt(NextOffset(), _buffer);

    internal override void Verify()
    {
        WrongResultException.ThrowUnless(_layered.Layers.Count == BenchmarkImages.ChainLayers, "the chain is short of layers");
        using FileStream raw = File.OpenRead(Images.LayeredDataRaw());
        using Qcow2ChainStream layered = _layered.OpenStream();
        using Qcow2ChainStream flat = _flat.OpenStream();
        StreamComparison.SameBytes(layered, raw, "the chain");
        StreamComparison.SameBytes(flat, raw, "the one image");
        foreach (Func<int> read in new[] { Layered, Flat })
        {
            _next = 0;
            foreach (long offset in _offsets.Take(1000))
            {
                WrongResultException.ThrowUnless(read() == BlockSize, $"{read.Method.Name} reads too little at {offset}");
                StreamComparison.SameBlock(_buffer, raw, offset, read.Method.Name);
            }
        }
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings) =>
        [timings.Time(Name, "the same disk, one layer", nameof(Flat), nameof(Layered), atMost: 1.5)];

    protected override void Open()
    {
        _layered = Qcow2Chain.Open(Images.LayeredData());
        _flat = Qcow2Chain.Open(Images.LayeredDataFlat());
        _offsets = BlockOffsets(_flat.Length);
    }

    protected override void Close()
    {
        _layered.Dispose();
        _flat.Dispose();
    }

    private long NextOffset() => _offsets[_next++ & (_offsets.Length - 1)];
}
