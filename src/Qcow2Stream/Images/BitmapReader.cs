using System.Buffers;
using System.Runtime.CompilerServices;
using DiscUtils.Streams;
using Qcow2Stream.Format;
using Shared;

namespace Qcow2Stream.Images;

/// <summary>Reads the bits of a bitmap as extents of the disk (sections "Bitmap table" and "Bitmap data").</summary>
internal static class BitmapReader
{
    private const int BitsPerByte = 8;
    private const int BufferSize = 1 << 16;

    /// <summary>The marked ranges between two places of the disk in order, neighbours merged.</summary>
    public static async IAsyncEnumerable<StreamExtent> DirtyExtentsAsync(
        Qcow2Image image, BitmapEntry bitmap, long start, long length, bool async, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (bitmap.Flags.HasFlag(BitmapFlags.InUse))
        {
            throw Error(image, bitmap, "it is in use: it was not saved cleanly, and what it says can't be relied on", bitmap.EntryOffset);
        }

        long size = image.Header.Size;
        start = Math.Min(start, size);
        long end = start + Math.Min(length, size - start);
        long dirtyFrom = -1;
        IAsyncEnumerable<(long First, bool IsSet)> runs = BitRunsAsync(
            image, bitmap, start >> bitmap.GranularityBits, BitsFor(end, bitmap), async, cancellationToken);
        await foreach ((long firstBit, bool isSet) in runs.ConfigureAwait(false))
        {
            long position = Math.Max(start, firstBit << bitmap.GranularityBits);
            if (isSet && dirtyFrom < 0)
            {
                dirtyFrom = position;
            }
            else if (!isSet && dirtyFrom >= 0)
            {
                yield return new StreamExtent(dirtyFrom, position - dirtyFrom);
                dirtyFrom = -1;
            }
        }

        if (dirtyFrom >= 0)
        {
            yield return new StreamExtent(dirtyFrom, end - dirtyFrom);
        }
    }

    /// <summary>The bits needed for the first <paramref name="size"/> bytes of the disk.</summary>
    private static long BitsFor(long size, BitmapEntry bitmap)
    {
        long granularity = 1L << bitmap.GranularityBits;
        return (size >> bitmap.GranularityBits) + ((size & (granularity - 1)) != 0 ? 1 : 0);
    }

    /// <summary>Where runs of equal bits start, from bit to bit, table entry after table entry; a run may be returned in parts.</summary>
    private static async IAsyncEnumerable<(long First, bool IsSet)> BitRunsAsync(
        Qcow2Image image, BitmapEntry bitmap, long firstBit, long endBit, bool async, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long bitsPerCluster = (long)image.Geometry.ClusterSize * BitsPerByte;
        long needed = (BitsFor(image.Header.Size, bitmap) + bitsPerCluster - 1) / bitsPerCluster;
        if (needed > bitmap.TableSize)
        {
            throw Error(image, bitmap, $"its table has {bitmap.TableSize} entries; the disk needs {needed}", bitmap.EntryOffset);
        }

        ulong[] table = [];
        long tableFirst = -1;
        for (long bit = firstBit; bit < endBit;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long entry = bit / bitsPerCluster;
            if (entry / TablePieces.MaxWords != tableFirst)
            {
                tableFirst = entry / TablePieces.MaxWords;
                long first = tableFirst * TablePieces.MaxWords;
                int words = (int)Math.Min(TablePieces.MaxWords, needed - first);
                table = new ulong[words];
                await TablePieces.LoadAsync(
                    image, bitmap.TableOffset + (first * sizeof(ulong)), table, guestOffset: null, async, cancellationToken).ConfigureAwait(false);
            }

            ulong value = table[entry % TablePieces.MaxWords];
            long end = Math.Min((entry + 1) * bitsPerCluster, endBit);
            long dataOffset = CheckedDataOffset(image, bitmap, value, bitmap.TableOffset + (entry * sizeof(ulong)));
            if (dataOffset == 0)
            {
                yield return (bit, (value & BitmapEntry.TableAllOnes) != 0);
            }
            else
            {
                IAsyncEnumerable<(long, bool)> inCluster = ClusterRunsAsync(
                    image, dataOffset, entry * bitsPerCluster, bit, end, async, cancellationToken);
                await foreach ((long, bool) run in inCluster.ConfigureAwait(false))
                {
                    yield return run;
                }
            }

            bit = end;
        }
    }

    private static long CheckedDataOffset(Qcow2Image image, BitmapEntry bitmap, ulong entry, long entryOffset)
    {
        long offset = (long)(entry & BitmapEntry.TableOffsetMask);
        bool isBroken = (entry & BitmapEntry.TableReservedMask) != 0
            || (offset != 0 && (entry & BitmapEntry.TableAllOnes) != 0)
            || !image.Geometry.IsClusterAligned(offset);
        return isBroken
            ? throw Error(image, bitmap, $"table entry 0x{entry:x16} is not cluster-aligned, or has reserved bits set", entryOffset)
            : offset;
    }

    /// <summary>The runs of bits <paramref name="bit"/> to <paramref name="end"/>, which one cluster holds.</summary>
    private static async IAsyncEnumerable<(long First, bool IsSet)> ClusterRunsAsync(
        Qcow2Image image, long dataOffset, long clusterFirstBit, long bit, long end, bool async, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (bit < end)
            {
                long firstByte = (bit - clusterFirstBit) / BitsPerByte;
                long bufferFirstBit = clusterFirstBit + (firstByte * BitsPerByte);
                int length = (int)Math.Min(BufferSize, (end - bufferFirstBit + BitsPerByte - 1) / BitsPerByte);
                await ReadDataAsync(image, dataOffset + firstByte, buffer.AsMemory(0, length), async, cancellationToken).ConfigureAwait(false);
                int bits = (int)Math.Min((long)length * BitsPerByte, end - bufferFirstBit);
                for (int index = (int)(bit - bufferFirstBit); index < bits; index = EndOfRun(buffer, index, bits))
                {
                    yield return (bufferFirstBit + index, IsSet(buffer, index));
                }

                bit = bufferFirstBit + bits;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask ReadDataAsync(
        Qcow2Image image, long hostOffset, Memory<byte> buffer, bool async, CancellationToken cancellationToken)
    {
        if (await image.File.ReadAtAsync(hostOffset, buffer, async, cancellationToken).ConfigureAwait(false) < buffer.Length)
        {
            throw new Qcow2FormatException("the file ends inside a bitmap", image.File.Path, hostOffset: hostOffset);
        }
    }

    private static bool IsSet(byte[] buffer, int bit) => (buffer[bit / BitsPerByte] >> (bit % BitsPerByte) & 1) != 0;

    private static int EndOfRun(byte[] buffer, int bit, int bits)
    {
        bool isSet = IsSet(buffer, bit);
        byte full = isSet ? byte.MaxValue : (byte)0;
        while (bit < bits && IsSet(buffer, bit) == isSet)
        {
            bit++;
            if (bit % BitsPerByte == 0 && bit < bits)
            {
                // Whole bytes at once.
                int from = bit / BitsPerByte;
                ReadOnlySpan<byte> rest = buffer.AsSpan(from, ((bits + BitsPerByte - 1) / BitsPerByte) - from);
                int same = rest.IndexOfAnyExcept(full);
                bit += (same < 0 ? rest.Length : same) * BitsPerByte;
            }
        }

        return Math.Min(bit, bits);
    }

    private static Qcow2FormatException Error(Qcow2Image image, BitmapEntry bitmap, string problem, long hostOffset) =>
        new($"bitmap '{PrintableText.Escape(bitmap.Name)}': {problem}", image.File.Path, hostOffset: hostOffset);
}
