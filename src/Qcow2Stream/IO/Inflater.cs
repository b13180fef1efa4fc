using System.IO.Compression;

namespace Qcow2Stream.IO;

/// <summary>Decompresses clusters of compression type zlib: raw deflate streams.</summary>
internal static class Inflater
{
    /// <summary>
    /// Decompresses until <paramref name="cluster"/> is full; what follows in <paramref name="source"/> is ignored.
    /// </summary>
    /// <returns>False if the data is broken or ends early; the content of <paramref name="cluster"/> is then undefined.</returns>
    public static bool TryInflate(ArraySegment<byte> source, Span<byte> cluster)
    {
        using MemoryStream input = new(source.Array!, source.Offset, source.Count, writable: false);
        using DeflateStream inflater = new(input, CompressionMode.Decompress);
        try
        {
            return inflater.ReadAtLeast(cluster, cluster.Length, throwOnEndOfStream: false) == cluster.Length;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
