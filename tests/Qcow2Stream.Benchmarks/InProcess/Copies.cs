using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Qcow2Stream.Benchmarks.Results;

namespace Qcow2Stream.Benchmarks.InProcess;

/// <summary>The whole disk into a stream that throws it away, by CopyTo and by CopyToAsync.</summary>
public class Copies : DiskBenchmark
{
    private const string OfZlib = "CopyToAsync, zlib";
    private const string OfUncompressed = "CopyToAsync, uncompressed";

    private Qcow2ChainStream _zlib = null!;
    private Qcow2ChainStream _uncompressed = null!;

    internal override IReadOnlyList<string> Names => [OfZlib, OfUncompressed];

    [Benchmark]
    public void Zlib() => Copy(_zlib, Stream.Null);

    [Benchmark]
    public Task ZlibAsync() => CopyAsync(_zlib, Stream.Null);

    [Benchmark]
    public void Uncompressed() => Copy(_uncompressed, Stream.Null);

    [Benchmark]
    public Task UncompressedAsync() => CopyAsync(_uncompressed, Stream.Null);

    internal override void Verify()
    {
        Verify(_zlib, Images.FilesPartRaw());
        Verify(_uncompressed, Images.RandomRaw());
    }

    internal override IEnumerable<ResultRow> Rows(Timings timings) =>
    [
        timings.Time(OfZlib, "CopyTo", nameof(Zlib), nameof(ZlibAsync), atMost: 1.05),
        timings.Time(OfUncompressed, "CopyTo", nameof(Uncompressed), nameof(UncompressedAsync), atMost: 1.05),
    ];

    protected override void Open()
    {
        _zlib = new Qcow2ChainStream(Images.FilesPartZlib());
        _uncompressed = new Qcow2ChainStream(Images.RandomQcow2());
    }

    protected override void Close()
    {
        _zlib.Dispose();
        _uncompressed.Dispose();
    }

    private static void Copy(Stream stream, Stream target)
    {
        stream.Position = 0;
        stream.CopyTo(target);
    }

    private static Task CopyAsync(Stream stream, Stream target)
    {
        stream.Position = 0;
        return stream.CopyToAsync(target);
    }

    private static void Verify(Stream stream, string rawPath)
    {
        using FileStream raw = File.OpenRead(rawPath);
        byte[] expected = SHA256.HashData(raw);
        byte[] copied = HashOf(target => Copy(stream, target));
        byte[] copiedAsync = HashOf(target => CopyAsync(stream, target).GetAwaiter().GetResult());
        WrongResultException.ThrowUnless(
            copied.AsSpan().SequenceEqual(expected) && copiedAsync.AsSpan().SequenceEqual(expected), $"a copy is not {rawPath}");
    }

    private static byte[] HashOf(Action<Stream> copyTo)
    {
        using SHA256 hash = SHA256.Create();
        using (CryptoStream target = new(Stream.Null, hash, CryptoStreamMode.Write))
        {
            copyTo(target);
        }

        return hash.Hash!;
    }
}
