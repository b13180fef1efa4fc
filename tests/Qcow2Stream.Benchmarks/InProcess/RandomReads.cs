using BenchmarkDotNet.Attributes;
using DiscUtils.Streams;
using Microsoft.Win32.SafeHandles;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>4 KiB here and there on a disk that is not compressed, all of it in the page cache.</summary>
public class RandomReads : DiskBenchmark
{
    private const string AgainstRaw = "random 4 KiB ReadAt";
    private const string Allocation = "random 4 KiB ReadAt: allocated";
    private const string AgainstVhdx = "random 4 KiB of streams (vhdx)";

    private readonly byte[] _buffer = new byte[BlockSize];
    private long[] _offsets = null!;
    private int _next;
    private Qcow2Chain _chain = null!;
    private Qcow2ChainStream _stream = null!;
    private SafeFileHandle _raw = null!;
    private DiscUtils.Vhdx.Disk _vhdxDisk = null!;
    private SparseStream _vhdx = null!;

    internal override IReadOnlyList<string> Names => [AgainstRaw, Allocation, AgainstVhdx];

    internal override IReadOnlyList<string> ComparedFiles => [Images.RandomRaw(), Images.RandomQcow2(), Images.RandomVhdx()];

    [Benchmark]
    public int Qcow2() => _chain.ReadAt(NextOffset(), _buffer);

    [Benchmark]
    public int Raw() => RandomAccess.Read(_raw, _buffer, NextOffset());

    [Benchmark]
    public int Qcow2Stream() => ReadAt(_stream);

    [Benchmark]
    public int Vhdx() => ReadAt(_vhdx);

    internal override void Verify()
    {
        using FileStream raw = File.OpenRead(Images.RandomRaw());
        foreach (Func<int> read in new[] { Qcow2, Raw, Qcow2Stream, Vhdx })
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
    [
        timings.Speed(AgainstRaw, "RandomAccess, raw", nameof(Raw), nameof(Qcow2), atLeast: 0.7),
        new ResultRow { Name = Allocation, Peer = "", Target = Target.Bytes(atMost: 0), Value = timings.AllocatedBy(nameof(Qcow2)) },
        timings.Speed(AgainstVhdx, "DiscUtils.Vhdx", nameof(Vhdx), nameof(Qcow2Stream), atLeast: 1.0),
    ];

    protected override void Open()
    {
        _chain = Qcow2Chain.Open(Images.RandomQcow2());
        _stream = _chain.OpenStream();
        _raw = File.OpenHandle(Images.RandomRaw());

        // By path DiscUtils reads ahead, which makes it some eighty times slower here.
        _vhdxDisk = new DiscUtils.Vhdx.Disk(File.OpenRead(Images.RandomVhdx()), Ownership.Dispose);
        _vhdx = _vhdxDisk.Content;
        _offsets = BlockOffsets(_chain.Length);
    }

    protected override void Close()
    {
        _chain.Dispose();
        _raw.Dispose();
        _vhdxDisk.Dispose();
    }

    private long NextOffset() => _offsets[_next++ & (_offsets.Length - 1)];

    private int ReadAt(Stream stream)
    {
        stream.Position = NextOffset();
        return stream.Read(_buffer, 0, _buffer.Length);
    }
}
