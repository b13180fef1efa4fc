using System.IO.Compression;
using lzo.net;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>A piece of a file on Btrfs.</summary>
/// <param name="Start">Where in the file it starts, in bytes.</param>
/// <param name="Length">How many bytes of the file it holds.</param>
/// <param name="Inline">Its content, if that is kept in the tree; otherwise null.</param>
/// <param name="VolumeOffset">Where its content starts on the volume, in bytes; null for a hole, and for what was never written.</param>
/// <param name="StoredLength">How many bytes it takes there.</param>
/// <param name="DecodedLength">How many bytes these are when decompressed.</param>
/// <param name="Skipped">How many of these come before what the file uses.</param>
/// <param name="Compression">0 none, 1 zlib, 2 LZO, 3 zstd.</param>
internal sealed record BtrfsExtent(
    long Start, long Length, byte[]? Inline, long? VolumeOffset, long StoredLength, long DecodedLength, long Skipped, int Compression)
{
    // The kernel compresses no more than this at once.
    private const int MaxDecoded = 1 << 20;

    private const int Block = 4096;
    private const int LzoHeader = sizeof(uint);

    /// <summary>Whether it is zeros: a hole, or what was never written.</summary>
    public bool IsHole => Inline is null && VolumeOffset is null;

    /// <summary>The bytes that the file uses, of an extent that is compressed or inline.</summary>
    public byte[] Decode(IBlockSource volume)
    {
        if (DecodedLength > MaxDecoded || StoredLength > MaxDecoded)
        {
            throw new GuestException($"it says that {StoredLength} compressed bytes become {DecodedLength}");
        }

        byte[] stored = Inline ?? Stored(volume);
        byte[] decoded = Compression switch
        {
            0 => stored,
            1 => ReadAll(new ZLibStream(new MemoryStream(stored), CompressionMode.Decompress)),
            2 => DecodeLzo(stored),
            3 => DecodeZstd(stored),
            _ => throw new GuestException($"its compression ({Compression}) is not known"),
        };
        return decoded.AsSpan((int)Skipped, (int)Length).ToArray();
    }

    private byte[] Stored(IBlockSource volume)
    {
        byte[] stored = new byte[StoredLength];
        volume.ReadExactly(VolumeOffset!.Value, stored);
        return stored;
    }

    private byte[] ReadAll(Stream decompressor)
    {
        using (decompressor)
        {
            byte[] decoded = new byte[DecodedLength];
            CheckComplete(decompressor.ReadAtLeast(decoded, decoded.Length, throwOnEndOfStream: false));
            return decoded;
        }
    }

    /// <summary>One frame, then zeros up to the end of a block.</summary>
    private byte[] DecodeZstd(byte[] stored)
    {
        byte[] decoded = new byte[DecodedLength];
        try
        {
            using Decompressor decompressor = new();
            CheckComplete(decompressor.Unwrap(stored.AsSpan(0, FrameLength(stored)), decoded));
            return decoded;
        }
        catch (ZstdException e)
        {
            throw new GuestException("its compressed data is damaged", e);
        }
    }

    private static unsafe int FrameLength(byte[] stored)
    {
        fixed (byte* frame = stored)
        {
            nuint length = Methods.ZSTD_findFrameCompressedSize(frame, (nuint)stored.Length);
            return Methods.ZSTD_isError(length) ? throw new GuestException("its compressed data is damaged") : (int)length;
        }
    }

    /// <summary>The length is rounded up to a block's, what comes out may not be; the rest is past the end of the file.</summary>
    private void CheckComplete(int decoded)
    {
        if (DecodedLength - decoded >= Block)
        {
            throw new GuestException($"only {decoded} of {DecodedLength} bytes come out of its compressed data");
        }
    }

    /// <summary>The total length, then one page after the other, each after its length, which never crosses a page's end.</summary>
    private byte[] DecodeLzo(byte[] stored)
    {
        byte[] decoded = new byte[DecodedLength];
        int from = LzoHeader;
        int done = 0;
        for (int to = 0; to < decoded.Length; to += Block)
        {
            int left = Block - (from % Block);
            from += left < LzoHeader ? left : 0;
            int length = (int)Math.Min(BitConverter.ToUInt32(stored, from), int.MaxValue);
            from += LzoHeader;
            using LzoStream page = new(new MemoryStream(stored, from, length), CompressionMode.Decompress);
            done += page.ReadAtLeast(decoded.AsSpan(to, Math.Min(Block, decoded.Length - to)), Math.Min(Block, decoded.Length - to), throwOnEndOfStream: false);
            from += length;
        }

        CheckComplete(done);
        return decoded;
    }
}
