using System.Buffers;
using System.Diagnostics;
using DiscUtils.Streams;
using Qcow2Stream.Format;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>Reads the bits of a bitmap as extents of the disk (sections "Bitmap table" and "Bitmap data").</summary>
internal static class BitmapReader
{
    private const int BitsPerByte = 8;
    private const int BufferSize = 1 << 16;

    /// <summary>The marked ranges in order, neighbours merged.</summary>
    public static IEnumerable<StreamExtent> DirtyExtents(Qcow2Image image, BitmapEntry bitmap)
    {
        if (bitmap.Flags.HasFlag(BitmapFlags.InUse))
        {
            throw new Qcow2FormatException(
                $"bitmap '{PrintableText.Escape(bitmap.Name)}' is in use: it was not saved cleanly, and what it says can't be relied on",
                image.File.Path,
                hostOffset: bitmap.EntryOffset);
        }

        return Extents(image, bitmap);
    }

    private static IEnumerable<StreamExtent> Extents(Qcow2Image image, BitmapEntry bitmap)
    {
        long size = image.Header.Size;
        long start = -1;
        foreach ((long firstBit, long bits, bool isSet) in BitRuns(image, bitmap, BitsFor(size, bitmap)))
        {
            long position = firstBit << bitmap.GranularityBits;
            if (isSet && start < 0)
            {
                start = position;
            }
            else if (!isSet && start >= 0)
            {
                yield return new StreamExtent(start, position - start);
                start = -1;
            }

            Debug.Assert(bits > 0, "a run has bits");
        }

        if (start >= 0)
        {
            yield return new StreamExtent(start, size - start);
        }
    }

    private static long BitsFor(long size, BitmapEntry bitmap)
    {
        long granularity = 1L << bitmap.GranularityBits;
        return (size >> bitmap.GranularityBits) + ((size & (granularity - 1)) != 0 ? 1 : 0);
    }

    /// <summary>Runs of equal bits, table entry after table entry; they may be cut where a buffer ends.</summary>
    private static IEnumerable<(long First, long Count, bool IsSet)> BitRuns(Qcow2Image image, BitmapEntry bitmap, long bits)
    {
        long bitsPerCluster = (long)image.Geometry.ClusterSize * BitsPerByte;
        long entries = (bits + bitsPerCluster - 1) / bitsPerCluster;
        if (entries > bitmap.TableSize)
        {
            throw new Qcow2FormatException(
                $"bitmap '{PrintableText.Escape(bitmap.Name)}': its table has {bitmap.TableSize} entries; the disk needs {entries}",
                image.File.Path,
                hostOffset: bitmap.EntryOffset);
        }

        ulong[] table = [];
        for (long entry = 0; entry < entries; entry++)
        {
            int index = (int)(entry % TablePieces.MaxWords);
            if (index == 0)
            {
                int words = (int)Math.Min(TablePieces.MaxWords, entries - entry);
                table = TablePieces.Load(image, bitmap.TableOffset + (entry * sizeof(ulong)), words);
            }

            long first = entry * bitsPerCluster;
            long count = Math.Min(bitsPerCluster, bits - first);
            long dataOffset = CheckedDataOffset(image, bitmap, table[index], bitmap.TableOffset + (entry * sizeof(ulong)));
            if (dataOffset == 0)
            {
                yield return (first, count, (table[index] & BitmapEntry.TableAllOnes) != 0);
                continue;
            }

            foreach ((long, long, bool) run in ClusterRuns(image, dataOffset, first, count))
            {
                yield return run;
            }
        }
    }

    private static long CheckedDataOffset(Qcow2Image image, BitmapEntry bitmap, ulong entry, long entryOffset)
    {
        long offset = (long)(entry & BitmapEntry.TableOffsetMask);
        bool isBroken = (entry & BitmapEntry.TableReservedMask) != 0
            || (offset != 0 && (entry & BitmapEntry.TableAllOnes) != 0)
            || !image.Geometry.IsClusterAligned(offset);
        return isBroken
            ? throw new Qcow2FormatException(
                $"bitmap '{PrintableText.Escape(bitmap.Name)}': table entry 0x{entry:x16} is not cluster-aligned, or has reserved bits set",
                image.File.Path,
                hostOffset: entryOffset)
            : offset;
    }

    private static IEnumerable<(long First, long Count, bool IsSet)> ClusterRuns(
        Qcow2Image image, long dataOffset, long first, long count)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (long done = 0; done < count;)
            {
                int length = (int)Math.Min(BufferSize, (count - done + BitsPerByte - 1) / BitsPerByte);
                ReadData(image, dataOffset + (done / BitsPerByte), buffer.AsSpan(0, length));
                long bits = Math.Min((long)length * BitsPerByte, count - done);
                for (long bit = 0; bit < bits;)
                {
                    bool isSet = IsSet(buffer, bit);
                    long end = EndOfRun(buffer, bit, bits, isSet);
                    yield return (first + done + bit, end - bit, isSet);
                    bit = end;
                }

                done += bits;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void ReadData(Qcow2Image image, long hostOffset, Span<byte> buffer)
    {
        if (image.File.ReadAt(hostOffset, buffer) < buffer.Length)
        {
            throw new Qcow2FormatException("the file ends inside a bitmap", image.File.Path, hostOffset: hostOffset);
        }
    }

    private static bool IsSet(byte[] buffer, long bit) => (buffer[bit / BitsPerByte] >> (int)(bit % BitsPerByte) & 1) != 0;

    private static long EndOfRun(byte[] buffer, long bit, long bits, bool isSet)
    {
        byte full = isSet ? byte.MaxValue : (byte)0;
        while (bit < bits)
        {
            if (bit % BitsPerByte == 0)
            {
                // Whole bytes at once.
                int from = (int)(bit / BitsPerByte);
                int same = buffer.AsSpan(from, (int)((bits + BitsPerByte - 1) / BitsPerByte) - from).IndexOfAnyExcept(full);
                if (same < 0)
                {
                    return bits;
                }

                bit += (long)same * BitsPerByte;
            }

            if (bit >= bits || IsSet(buffer, bit) != isSet)
            {
                break;
            }

            bit++;
        }

        return Math.Min(bit, bits);
    }
}
