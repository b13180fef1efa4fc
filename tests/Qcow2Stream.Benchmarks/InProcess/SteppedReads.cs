using System.Globalization;
using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Processes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>4 KiB of every cluster, one read after the other: the requests of <c>qemu-img bench</c>, each in another cluster.</summary>
public class SteppedReads : DiskBenchmark
{
    private const string OfZlib = "4 KiB of every cluster, zlib";
    private const string OfUncompressed = "4 KiB of every cluster, uncompressed";
    private const int Step = 66_560;

    private readonly byte[] _buffer = new byte[BlockSize];
    private Qcow2Chain _zlib = null!;
    private Qcow2Chain _uncompressed = null!;
    private long _position;

    internal override IReadOnlyList<string> Names => [OfZlib, OfUncompressed];

    [Benchmark]
    public int Zlib() => _zlib.ReadAt(NextOffset(_zlib), _buffer);

    [Benchmark]
    public int Uncompressed() => _uncompressed.ReadAt(NextOffset(_uncompressed), _buffer);

    internal override void Verify()
    {
        Verify(Zlib, Images.FilesRaw());
        Verify(Uncompressed, Images.RandomRaw());
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings)
    {
        int shortened = timings.Plan.Quick ? 10 : 1;
        return
        [
            Row(timings, OfZlib, nameof(Zlib), Images.FilesZlib(), requests: 10_000 / shortened, atLeast: 3),
            Row(timings, OfUncompressed, nameof(Uncompressed), Images.RandomQcow2(), requests: 100_000 / shortened, atLeast: 30),
        ];
    }

    protected override void Open()
    {
        _zlib = Qcow2Chain.Open(Images.FilesZlib());
        _uncompressed = Qcow2Chain.Open(Images.RandomQcow2());
    }

    protected override void Close()
    {
        _zlib.Dispose();
        _uncompressed.Dispose();
    }

    private static ResultRow Row(Timings timings, string name, string method, string image, int requests, double atLeast)
    {
        double peer = Median.Of(Enumerable.Range(0, timings.Plan.Runs).Select(_ => NanosecondsOfQemu(image, requests)));
        return new ResultRow
        {
            Name = name,
            Peer = "qemu-img bench -d 1",
            PeerMedian = Duration.Nanoseconds(peer),
            Ours = Duration.Nanoseconds(timings.Of(method)),
            Target = Target.Speed(atLeast),
            Value = peer / timings.Of(method),
        };
    }

    /// <summary>What one request takes, by QEMU's own clock: starting the program is not counted.</summary>
    private static double NanosecondsOfQemu(string image, int requests)
    {
        const string Before = "Run completed in ";
        string output = Qemu.Img(
            "bench", "-f", "qcow2", "-d", "1", "-c", $"{requests}", "-s", $"{BlockSize}", "-S", $"{Step}", image).GetAwaiter().GetResult();
        int start = output.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        string seconds = output[start..output.IndexOf(' ', start)];
        return double.Parse(seconds, CultureInfo.InvariantCulture) * 1e9 / requests;
    }

    private void Verify(Func<int> read, string rawPath)
    {
        using FileStream raw = File.OpenRead(rawPath);
        _position = 0;
        for (int request = 0; request < 3000; request++)
        {
            WrongResultException.ThrowUnless(read() == BlockSize, $"{read.Method.Name} reads too little at {_position}");
            StreamComparison.SameBlock(_buffer, raw, _position, read.Method.Name);
        }
    }

    private long NextOffset(Qcow2Chain chain) => _position = (_position + Step) % (chain.Length - BlockSize);
}
