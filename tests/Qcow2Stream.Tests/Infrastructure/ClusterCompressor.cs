using System.IO.Compression;
using ZstdSharp;

namespace Qcow2Stream.Tests.Infrastructure;

internal static class ClusterCompressor
{
    public static byte[] Compress(byte[] content, CompressionType type)
    {
        if (type == CompressionType.Zstd)
        {
            using var compressor = new Compressor();
            return compressor.Wrap(content).ToArray();
        }

        // qcow2 readers have a window of 4 KiB only; run lengths reach one byte back, so any window does.
        var options = new ZLibCompressionOptions { CompressionStrategy = ZLibCompressionStrategy.RunLengthEncoding };
        using var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, options, leaveOpen: true))
        {
            deflate.Write(content);
        }

        return compressed.ToArray();
    }
}
