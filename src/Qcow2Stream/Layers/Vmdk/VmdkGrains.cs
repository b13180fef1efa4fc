using System.Buffers;
using System.Buffers.Binary;
using Qcow2Stream.Codecs;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>Reads what is stored at a place of an extent: bytes as they are, or a compressed grain, which is kept for the reads that usually follow.</summary>
/// <param name="decompressed">Keeps the grains.</param>
internal sealed class VmdkGrains(DecompressedClusters decompressed)
{
    // A grain that does not compress becomes a little longer; QEMU allows for twice its length, and VMware too.
    private const int MostTimesLonger = 2;

    /// <summary>Fills <paramref name="buffer"/> from a place of kind Data or Compressed.</summary>
    /// <param name="place">Is as long as the buffer.</param>
    /// <param name="guestOffset">The guest's offset of its first byte, for messages.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async ValueTask ReadAsync(VmdkPlace place, long guestOffset, Memory<byte> buffer, bool async, CancellationToken cancellationToken)
    {
        HostFile file = place.Part.Source!.File;
        if (place.Kind == RunKind.Data)
        {
            int read = await file.ReadAtAsync(place.HostOffset, buffer, async, cancellationToken).ConfigureAwait(false);
            ClearTail(place, guestOffset, buffer.Span, read);
            return;
        }

        HostRun grain = new()
        {
            Kind = RunKind.Compressed,
            GuestOffset = guestOffset,
            Length = buffer.Length,
            HostOffset = place.HostOffset,
            OffsetInCluster = (int)place.OffsetInGrain,
        };
        if (decompressed.TryCopy(file, grain, buffer.Span, out _))
        {
            return;
        }

        byte[] bytes = new byte[place.Part.Header!.GrainLength];
        int length = await DecompressAsync(place, guestOffset, bytes, async, cancellationToken).ConfigureAwait(false);
        decompressed.Add(file, grain, bytes, length);
        bytes.AsSpan(grain.OffsetInCluster, buffer.Length).CopyTo(buffer.Span);
    }

    /// <summary>The file may end inside a grain, whose rest is zeros; never before one.</summary>
    private static void ClearTail(in VmdkPlace place, long guestOffset, Span<byte> buffer, int read)
    {
        long inLastGrain = place.Part.Header is { } header ? (place.OffsetInGrain + buffer.Length - 1) % header.GrainLength : 0;
        if (read < buffer.Length && read <= buffer.Length - 1 - inLastGrain)
        {
            throw new Qcow2FormatException(
                "the file ends early: it became shorter since it was opened", place.Part.Source!.File.Path, guestOffset + read, place.HostOffset + read);
        }

        buffer[read..].Clear();
    }

    /// <summary>Decompresses a grain.</summary>
    /// <returns>How many bytes of it there are: all that belong to the disk, at least.</returns>
    private static async ValueTask<int> DecompressAsync(
        VmdkPlace place, long guestOffset, byte[] grain, bool async, CancellationToken cancellationToken)
    {
        HostFile file = place.Part.Source!.File;
        long start = guestOffset - place.OffsetInGrain;
        (long hostOffset, int length) = (place.HostOffset, grain.Length);
        if (place.Part.Header!.HasMarkers)
        {
            byte[] marker = new byte[VmdkLayout.GrainHeaderLength];
            int known = await file.ReadAtAsync(hostOffset, marker, async, cancellationToken).ConfigureAwait(false);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(marker.AsSpan(VmdkLayout.GrainHeaderSize));
            if (known < marker.Length || size == 0 || size > grain.Length * MostTimesLonger)
            {
                throw new Qcow2FormatException(
                    $"a compressed grain has {size} bytes; it must have from 1 to {grain.Length * MostTimesLonger}", file.Path, start, hostOffset);
            }

            (hostOffset, length) = (hostOffset + marker.Length, (int)size);
        }

        byte[] source = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int read = await file.ReadAtAsync(hostOffset, source.AsMemory(0, length), async, cancellationToken).ConfigureAwait(false);
            long wanted = Math.Min(grain.Length, place.Part.End - start);
            if (!ZlibDecoder.TryDecode(source.AsSpan(0, read), grain, out int written) || written < wanted)
            {
                throw new Qcow2FormatException(
                    $"compressed grain: the zlib data is broken, or does not yield the grain's {wanted} bytes", file.Path, start, place.HostOffset);
            }

            Instruments.Decompressed(Qcow2CompressionType.Zlib, written);
            return written;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(source);
        }
    }

    /// <summary>As <see cref="ReadAsync"/>, for callers that wait.</summary>
    public void Read(in VmdkPlace place, long guestOffset, Span<byte> buffer)
    {
        if (place.Kind == RunKind.Data)
        {
            ClearTail(place, guestOffset, buffer, place.Part.Source!.File.ReadAt(place.HostOffset, buffer));
            return;
        }

        // No more than a grain.
        byte[] bytes = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            ReadAsync(place, guestOffset, bytes.AsMemory(0, buffer.Length), async: false, default).Now();
            bytes.AsSpan(0, buffer.Length).CopyTo(buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
