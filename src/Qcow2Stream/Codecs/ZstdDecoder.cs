using System.Collections.Concurrent;
using Qcow2Stream.Codecs.Zstd;

namespace Qcow2Stream.Codecs;

/// <summary>Decompresses clusters of compression type zstd: Zstandard frames.</summary>
internal static unsafe class ZstdDecoder
{
    /// <summary>libzstd's own limit for its streaming decoder, and so QEMU's, in bytes.</summary>
    public const int DefaultMaxWindow = 1 << 27;

    // Borrowed for one cluster at a time: making room costs as much as decoding a cluster.
    private static readonly ConcurrentBag<byte[]> Pool = [];
    private static readonly int PoolLimit = Environment.ProcessorCount;

    /// <summary>
    /// Decompresses frames until <paramref name="cluster"/> is full at the end of a frame; what follows in
    /// <paramref name="source"/> is ignored.
    /// </summary>
    /// <param name="source">The frames.</param>
    /// <param name="cluster">Where the content goes to.</param>
    /// <param name="maxWindow">The largest window, in bytes, of frames that do not say how long their content is; one as large as the cluster always passes.</param>
    /// <inheritdoc cref="Inflater.TryInflate" path="/returns"/>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> cluster, int maxWindow = DefaultMaxWindow) =>
        TryDecode(source, cluster, maxWindow, isOneFrame: false, out int length) && length == cluster.Length;

    /// <summary>Decompresses one frame, however much of <paramref name="content"/> it fills; what follows is ignored.</summary>
    /// <inheritdoc cref="Inflater.TryInflate" path="/returns"/>
    public static bool TryDecodeFrame(ReadOnlySpan<byte> source, Span<byte> content, out int length) =>
        TryDecode(source, content, DefaultMaxWindow, isOneFrame: true, out length);

    private static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> content, int maxWindow, bool isOneFrame, out int length)
    {
        if (!Pool.TryTake(out byte[]? room))
        {
            room = GC.AllocateUninitializedArray<byte>(sizeof(ZstdTables), pinned: true);
        }

        ulong windowLimit = Math.Max((ulong)maxWindow, (ulong)content.Length);
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
