using Qcow2Stream.Codecs;
using Qcow2Stream.Fuzz.Seeding;
using Qcow2Stream.Tests.Codecs;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input is compressed data after a byte that says how and for how much. Deflate gets DeflateStream's verdict and
/// bytes; zstd gets ZstdSharp's, or is refused, as the format calls corrupt some things that libzstd lets pass.
/// </summary>
internal sealed class CompressedHarness : IHarness
{
    private const int ZstdBit = 1;
    private const int ShortBit = 0x10;
    private const int MostOutput = 512 << 7;

    // DeflateStream gives zlib its input in pieces of this length, and with a border zlib's verdict may be another.
    private const int MostInput = 8192;

    // These live as long as the process; one thread runs harnesses. A byte read or written outside of the two ends the process.
    private static readonly GuardedMemory? Source = OperatingSystem.IsLinux() ? new(MostInput) : null;
    private static readonly GuardedMemory? Cluster = OperatingSystem.IsLinux() ? new(MostOutput) : null;
    private static readonly ZstdReference Zstd = new();

    private readonly byte[] _plainSource = new byte[MostInput];
    private readonly byte[] _plainCluster = new byte[MostOutput];
    private readonly byte[] _expected = new byte[MostOutput];

    public string Name => "compressed";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => CompressedSeeds.All;

    /// <summary>The first byte of inputs.</summary>
    /// <param name="isZstd">Whether it is zstd.</param>
    /// <param name="clusterBits">From 9 to 16.</param>
    /// <param name="isShort">Whether only a part of the cluster is wanted.</param>
    public static byte Choice(bool isZstd, int clusterBits, bool isShort = false) =>
        (byte)((isZstd ? ZstdBit : 0) | ((clusterBits - 9) << 1) | (isShort ? ShortBit : 0));

    public void Run(ArraySegment<byte> input)
    {
        if (input.Count == 0)
        {
            return;
        }

        ReadOnlySpan<byte> data = input.AsSpan(1, Math.Min(input.Count - 1, MostInput));
        bool isZstd = (input[0] & ZstdBit) != 0;
        int length = 512 << ((input[0] >> 1) & 7);
        length -= (input[0] & ShortBit) != 0 ? (length / 3) + 1 : 0;

        Span<byte> expected = _expected.AsSpan(0, length);
        bool verdict = isZstd ? Zstd.TryDecode(data, expected) : DeflateReference.TryInflate(data.ToArray(), expected);
        Check(data, isZstd, verdict, expected, atEnd: true);
        Check(data, isZstd, verdict, expected, atEnd: false);
    }

    private void Check(ReadOnlySpan<byte> data, bool isZstd, bool verdict, ReadOnlySpan<byte> expected, bool atEnd)
    {
        Span<byte> source = Room(Source, _plainSource, data.Length, atEnd);
        Span<byte> cluster = Room(Cluster, _plainCluster, expected.Length, atEnd);
        data.CopyTo(source);
        bool decoded = isZstd ? ZstdDecoder.TryDecode(source, cluster) : Inflater.TryInflate(source, cluster);
        if (decoded ? !verdict : verdict && !isZstd)
        {
            throw new BrokenInvariantException($"the other decoder says {verdict} for {expected.Length} bytes");
        }

        if (decoded && !cluster.SequenceEqual(expected))
        {
            throw new BrokenInvariantException($"byte {cluster.CommonPrefixLength(expected)} differs from the other decoder's");
        }
    }

    private static Span<byte> Room(GuardedMemory? guarded, byte[] plain, int length, bool atEnd) =>
        guarded is null ? plain.AsSpan(0, length) : atEnd ? guarded.AtEnd(length) : guarded.AtStart(length);
}
