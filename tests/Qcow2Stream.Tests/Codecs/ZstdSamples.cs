using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Qcow2Stream.Tests.Codecs;

/// <summary>Contents in their compressed forms.</summary>
internal static class ZstdSamples
{
    /// <summary>Compresses in one go, so that the frame says its size.</summary>
    public static byte[] Compress(byte[] content, int level = 3, bool hasChecksum = false, int windowLog = 0, bool hasSize = true)
    {
        using Compressor compressor = new(level);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, hasChecksum ? 1 : 0);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_contentSizeFlag, hasSize ? 1 : 0);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, windowLog);
        return compressor.Wrap(content).ToArray();
    }

    /// <summary>Compresses as a stream, so that the frame does not say its size.</summary>
    /// <param name="flushes">How often a block ends early.</param>
    public static byte[] Stream(byte[] content, int level = 3, bool hasChecksum = false, int windowLog = 0, int flushes = 0)
    {
        using MemoryStream compressed = new();
        using (CompressionStream stream = new(compressed, level, leaveOpen: true))
        {
            stream.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, hasChecksum ? 1 : 0);
            stream.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, windowLog);
            int written = 0;
            for (int part = 0; part <= flushes; part++)
            {
                int end = (int)((long)content.Length * (part + 1) / (flushes + 1));
                stream.Write(content.AsSpan(written..end));
                written = end;
                stream.Flush();
            }
        }

        return compressed.ToArray();
    }

    /// <summary>A frame whose form the seed chooses.</summary>
    public static byte[] Any(byte[] content, Random random)
    {
        int level = random.Next(8) == 0 ? random.Next(13, 20) : random.Next(-5, 10);
        int windowLog = random.Next(2) == 0 ? 0 : random.Next(10, 15);
        bool hasChecksum = random.Next(6) == 0;
        return random.Next(2) == 0
            ? Compress(content, level, hasChecksum, windowLog, random.Next(3) != 0)
            : Stream(content, level, hasChecksum, windowLog, random.Next(0, 5));
    }

    /// <summary>A frame that decoders skip.</summary>
    public static byte[] Skippable(int length, int kind = 0) =>
        [(byte)(0x50 + kind), 0x2A, 0x4D, 0x18, (byte)length, (byte)(length >> 8), 0, 0, .. new byte[length]];
}
