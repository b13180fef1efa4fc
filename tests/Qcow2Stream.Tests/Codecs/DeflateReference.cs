using System.IO.Compression;
using Qcow2Stream.Codecs;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>What the runtime's zlib makes of the same bytes.</summary>
internal static partial class DeflateReference
{
    /// <summary>Inflates as <see cref="Inflater.TryInflate"/> should.</summary>
    public static bool TryInflate(byte[] source, Span<byte> cluster)
    {
        using MemoryStream input = new(source);
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
