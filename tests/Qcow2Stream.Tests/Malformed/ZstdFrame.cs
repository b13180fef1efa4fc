namespace Qcow2Stream.Tests.Malformed;

/// <summary>A zstd frame written byte by byte (RFC 8878): one block that repeats a byte, after a chosen window.</summary>
internal static class ZstdFrame
{
    public static byte[] Repeat(byte value, int count, int windowLog)
    {
        const int LastBlock = 1;
        const int RepeatedByte = 1 << 1;
        int block = LastBlock | RepeatedByte | (count << 3);
        return
        [
            0x28, 0xB5, 0x2F, 0xFD, // magic
            0, // descriptor: a window follows, no content size, no checksum
            (byte)((windowLog - 10) << 3),
            (byte)block, (byte)(block >> 8), (byte)(block >> 16),
            value,
        ];
    }
}
