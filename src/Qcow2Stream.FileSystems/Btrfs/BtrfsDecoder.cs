using System.Buffers.Binary;
using System.IO.Compression;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>Decompresses extents. What they may lack at their end is zeros.</summary>
internal static class BtrfsDecoder
{
    /// <param name="compression">How they are compressed.</param>
    /// <param name="stored">What is stored, and then anything up to the end of a sector.</param>
    /// <param name="decoded">Receives what it decodes to.</param>
    /// <param name="sectorSize">The size of a sector, in bytes.</param>
    /// <param name="least">How many bytes must come out.</param>
    /// <exception cref="GuestException">The data is damaged.</exception>
    public static void Decode(BtrfsCompression compression, ReadOnlyMemory<byte> stored, Span<byte> decoded, int sectorSize, int least)
    {
        int length = compression switch
        {
            BtrfsCompression.None => Copy(stored.Span, decoded),
            BtrfsCompression.Zlib => DecodeZlib(stored, decoded),
            BtrfsCompression.Lzo => DecodeLzo(stored.Span, decoded, sectorSize),
            _ => DecodeZstd(stored.Span, decoded),
        };
        if (length < least)
        {
            throw new GuestException($"only {length} of {decoded.Length} bytes come out of its compressed data");
        }

        // A decoder may have written past what it says.
        decoded[length..].Clear();
    }

    private static int Copy(ReadOnlySpan<byte> stored, Span<byte> decoded)
    {
        stored = stored[..Math.Min(stored.Length, decoded.Length)];
        stored.CopyTo(decoded);
        return stored.Length;
    }

    private static int DecodeZlib(ReadOnlyMemory<byte> stored, Span<byte> decoded)
    {
        try
        {
            using ZLibStream stream = new(new WholeStream(stored.ToArray()), CompressionMode.Decompress);
            return stream.ReadAtLeast(decoded, decoded.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e)
        {
            throw new GuestException("its compressed data is damaged", e);
        }
    }

    /// <summary>One frame, then zeros up to the end of a sector.</summary>
    private static int DecodeZstd(ReadOnlySpan<byte> stored, Span<byte> decoded)
    {
        try
        {
            using Decompressor decompressor = new();
            return decompressor.Unwrap(stored[..FrameLength(stored)], decoded);
        }
        catch (ZstdException e)
        {
            throw new GuestException("its compressed data is damaged", e);
        }
    }

    private static unsafe int FrameLength(ReadOnlySpan<byte> stored)
    {
        fixed (byte* frame = stored)
        {
            nuint length = Methods.ZSTD_findFrameCompressedSize(frame, (nuint)stored.Length);
            return Methods.ZSTD_isError(length) ? throw new GuestException("its compressed data is damaged") : (int)length;
        }
    }

    /// <summary>
    /// The whole length, then one sector's worth after the other, each after its length, which never crosses the end of a sector. Each may decode to less
    /// than a sector: the next one follows it.
    /// </summary>
    private static int DecodeLzo(ReadOnlySpan<byte> stored, Span<byte> decoded, int sectorSize)
    {
        int done = 0;
        uint total = stored.Length < sizeof(uint) ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(stored);
        if (total < sizeof(uint) || total > stored.Length)
        {
            throw new GuestException("its compressed data is damaged: it is longer than its place");
        }

        stored = stored[..(int)total];
        for (int at = sizeof(uint); at < stored.Length && done < decoded.Length;)
        {
            uint length = at > stored.Length - sizeof(uint) ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(stored[at..]);
            at += sizeof(uint);
            if (length > stored.Length - at)
            {
                throw new GuestException("its compressed data is damaged: a part reaches past its end");
            }

            done += Lzo.Decompress(stored.Slice(at, (int)length), decoded.Slice(done, Math.Min(sectorSize, decoded.Length - done)));
            at += (int)length;
            int left = sectorSize - (at % sectorSize);
            at += left < sizeof(uint) ? left : 0;
        }

        return done;
    }

    /// <summary>Bytes after which no more are asked for, unless something is missing.</summary>
    private sealed class WholeStream(byte[] bytes) : MemoryStream(bytes, writable: false)
    {
        public override int Read(Span<byte> buffer) => Whole(base.Read(buffer));

        public override int Read(byte[] buffer, int offset, int count) => Whole(base.Read(buffer, offset, count));

        private static int Whole(int read) => read > 0 ? read : throw new GuestException("its compressed data is damaged: it is cut short");
    }
}
