using System.Collections.Concurrent;
using Qcow2Stream.IO.Zstd;

namespace Qcow2Stream.IO;

/// <summary>Decompresses clusters of compression type zstd: Zstandard frames.</summary>
internal static unsafe class ZstdDecoder
{
    // libzstd's: 8 MiB is the window that every decoder should take.
    private const ulong MinWindowLimit = 1 << 23;

    // Borrowed for one cluster at a time: making room costs as much as decoding a cluster.
    private static readonly ConcurrentBag<byte[]> Pool = [];
    private static readonly int PoolLimit = Environment.ProcessorCount;

    /// <summary>
    /// Decompresses frames until <paramref name="cluster"/> is full at the end of a frame; what follows in
    /// <paramref name="source"/> is ignored.
    /// </summary>
    /// <inheritdoc cref="Inflater.TryInflate" path="/returns"/>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> cluster) =>
        TryDecode(source, cluster, isOneFrame: false, out int length) && length == cluster.Length;

    /// <summary>Decompresses one frame, however much of <paramref name="content"/> it fills; what follows is ignored.</summary>
    /// <inheritdoc cref="Inflater.TryInflate" path="/returns"/>
    public static bool TryDecodeFrame(ReadOnlySpan<byte> source, Span<byte> content, out int length) =>
        TryDecode(source, content, isOneFrame: true, out length);

    private static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> content, bool isOneFrame, out int length)
    {
        if (!Pool.TryTake(out byte[]? room))
        {
            room = GC.AllocateUninitializedArray<byte>(sizeof(ZstdTables), pinned: true);
        }

        ulong windowLimit = Math.Max(MinWindowLimit, 1UL << int.Log2(Math.Max(1, content.Length)));
        bool decoded;
        fixed (byte* tables = room)
        fixed (byte* from = source)
        fixed (byte* to = content)
        {
            ZstdFrameDecoder decoder = new(
                (ZstdTables*)tables, from, from + source.Length, to, to + content.Length, windowLimit);
            do
            {
                decoded = decoder.TryDecodeFrame();
            }
            while (decoded && !isOneFrame && decoder.Output != to + content.Length);
            length = (int)(decoder.Output - to);
        }

        if (Pool.Count < PoolLimit)
        {
            Pool.Add(room);
        }

        return decoded;
    }
}
