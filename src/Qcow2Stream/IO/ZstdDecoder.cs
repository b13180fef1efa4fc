using System.Collections.Concurrent;
using System.Numerics;
using ZstdSharp.Unsafe;

namespace Qcow2Stream.IO;

/// <summary>
/// Decompresses clusters of compression type zstd. One decoder serves one cluster at a time; <see cref="TryDecode"/>
/// borrows one from a pool, because making one costs more than decoding a cluster.
/// </summary>
internal sealed unsafe class ZstdDecoder
{
    // Decoding must not allocate whatever a frame asks for: 8 MiB is the window that every decoder should take.
    private const int MinWindowLogLimit = 23;

    private static readonly ConcurrentBag<ZstdDecoder> Pool = [];
    private static readonly int PoolLimit = Environment.ProcessorCount;

    private readonly ZSTD_DCtx_s* _context = Methods.ZSTD_createDCtx();

    ~ZstdDecoder()
    {
        _ = Methods.ZSTD_freeDCtx(_context);
    }

    /// <summary>
    /// Decompresses frames until <paramref name="cluster"/> is full at the end of a frame; what follows in
    /// <paramref name="source"/> is ignored.
    /// </summary>
    /// <inheritdoc cref="Inflater.TryInflate" path="/returns"/>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> cluster)
    {
        if (!Pool.TryTake(out ZstdDecoder? decoder))
        {
            decoder = new ZstdDecoder();
        }

        bool decoded = decoder.Decode(source, cluster);
        if (Pool.Count < PoolLimit)
        {
            Pool.Add(decoder);
        }

        return decoded;
    }

    private bool Decode(ReadOnlySpan<byte> source, Span<byte> cluster)
    {
        _ = Methods.ZSTD_DCtx_reset(_context, ZSTD_ResetDirective.ZSTD_reset_session_only);
        int windowLog = Math.Max(MinWindowLogLimit, BitOperations.Log2((uint)cluster.Length));
        _ = Methods.ZSTD_DCtx_setParameter(_context, ZSTD_dParameter.ZSTD_d_windowLogMax, windowLog);
        fixed (byte* from = source)
        fixed (byte* to = cluster)
        {
            ZSTD_inBuffer_s input = new() { src = from, size = (nuint)source.Length };
            ZSTD_outBuffer_s output = new() { dst = to, size = (nuint)cluster.Length };
            while (true)
            {
                (nuint read, nuint written) = (input.pos, output.pos);
                nuint result = Methods.ZSTD_decompressStream(_context, &output, &input);
                if (Methods.ZSTD_isError(result))
                {
                    return false;
                }

                if (output.pos == output.size)
                {
                    // 0 says that the frame is complete, its checksum included.
                    return result == 0;
                }

                if (input.pos == read && output.pos == written)
                {
                    return false;
                }
            }
        }
    }
}
