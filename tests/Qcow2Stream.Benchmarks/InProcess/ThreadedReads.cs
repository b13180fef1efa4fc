using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>4 KiB here and there in compressed clusters, by one thread and by two on the same chain.</summary>
public class ThreadedReads : DiskBenchmark
{
    private const string Name = "two threads on one chain, random 4 KiB of zlib";
    private const int ReadsOfAThread = 500;

    private Qcow2Chain _chain = null!;
    private long[] _offsets = null!;
    private int _next;
    private Action<long, byte[]>? _check;

    internal override IReadOnlyList<string> Names => [Name];

    [Benchmark]
    public void OneThread() => Read(Advance());

    /// <summary>Each of the threads reads as much as the one of <see cref="OneThread"/>.</summary>
    [Benchmark]
    public void TwoThreads()
    {
        int first = Advance();
        int second = Advance();
        Exception? failure = null;
        Thread other = new(() =>
        {
            try
            {
                Read(second);
            }
            catch (Exception e) when (_check is not null)
            {
                failure = e;
            }
        });
        other.Start();
        Read(first);
        other.Join();
        if (failure is not null)
        {
            throw new WrongResultException(failure.Message);
        }
    }

    internal override void Verify()
    {
        string path = Images.FilesRaw();
        _check = (offset, block) =>
        {
            using FileStream raw = File.OpenRead(path);
            StreamComparison.SameBlock(block, raw, offset, "one of two threads");
        };
        OneThread();
        TwoThreads();
        _check = null;
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings)
    {
        ResultRow row = timings.Speed(Name, "one thread, half as many reads", nameof(OneThread), nameof(TwoThreads), atLeast: 1.8);
        return [row with { Value = 2 * row.Value }];
    }

    protected override void Open()
    {
        _chain = Qcow2Chain.Open(Images.FilesZlib());
        _offsets = BlockOffsets(_chain.Length);
    }

    protected override void Close() => _chain.Dispose();

    private int Advance() => _next += ReadsOfAThread;

    private void Read(int start)
    {
        byte[] buffer = new byte[BlockSize];
        for (int index = 0; index < ReadsOfAThread; index++)
        {
            long offset = _offsets[(start + index) & (_offsets.Length - 1)];
            _chain.ReadAt(offset, buffer);
            _check?.Invoke(offset, buffer);
        }
    }
}
