using Qcow2Stream.Codecs.Deflate;

namespace Qcow2Stream.Codecs;

/// <summary>Decompresses clusters of compression type zlib: raw deflate streams.</summary>
internal static class Inflater
{
    /// <summary>
    /// Decompresses until <paramref name="cluster"/> is full; what follows in <paramref name="source"/> is ignored, but
    /// for what comes before the next byte that it would yield: damage there counts, as it does for QEMU.
    /// </summary>
    /// <returns>False if the data is broken or ends early; the content of <paramref name="cluster"/> is then undefined.</returns>
    public static bool TryInflate(ReadOnlySpan<byte> source, Span<byte> cluster) => DeflateDecoder.TryDecode(source, cluster);
}
