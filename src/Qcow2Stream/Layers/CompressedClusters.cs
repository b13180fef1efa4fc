using System.Buffers;
using Qcow2Stream.Codecs;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>Reads the compressed clusters of one image, one at a time.</summary>
internal sealed class CompressedClusters(
    HostFile file, int clusterSize, Qcow2CompressionType type, DecompressedClusters decompressed, int maxZstdWindow = 0)
{
    /// <summary>Fills <paramref name="buffer"/> with the first bytes of a run of kind Compressed.</summary>
    public void Read(in HostRun run, Span<byte> buffer)
    {
        if (decompressed.TryCopy(file, run, buffer, out bool isKnown))
        {
            return;
        }

        byte[] source = ArrayPool<byte>.Shared.Rent((int)run.HostLength);
        try
        {
            int read = file.ReadAt(run.HostOffset, source.AsSpan(0, (int)run.HostLength));
            Decompress(run, new ArraySegment<byte>(source, 0, read), buffer, isKnown);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(source);
        }
    }

    /// <inheritdoc cref="Read"/>
    public async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (decompressed.TryCopy(file, run, buffer.Span, out bool isKnown))
        {
            return;
        }

        byte[] source = ArrayPool<byte>.Shared.Rent((int)run.HostLength);
        try
        {
            int read = await file.ReadAtAsync(run.HostOffset, source.AsMemory(0, (int)run.HostLength), cancellationToken)
                .ConfigureAwait(false);
            Decompress(run, new ArraySegment<byte>(source, 0, read), buffer.Span, isKnown);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(source);
        }
    }

    /// <summary>
    /// A whole cluster goes straight into the caller's buffer. Of a part, deflate is decompressed only as far as it
    /// reaches, for a read here and there needs no more; who comes back for another part gets the whole cluster, which
    /// is kept for the reads that then usually follow.
    /// </summary>
    private void Decompress(in HostRun run, ArraySegment<byte> source, Span<byte> buffer, bool isKnown)
    {
        if (buffer.Length == clusterSize)
        {
            DecompressCluster(run, source, buffer);
            return;
        }

        // zstd's checks, and most of its work, come with the whole frame.
        int length = isKnown || type == Qcow2CompressionType.Zstd ? clusterSize : run.OffsetInCluster + buffer.Length;
        byte[] cluster = GC.AllocateUninitializedArray<byte>(clusterSize);
        DecompressCluster(run, source, cluster.AsSpan(0, length));
        decompressed.Add(file, run, cluster, length);
        cluster.AsSpan(run.OffsetInCluster, buffer.Length).CopyTo(buffer);
    }

    private void DecompressCluster(in HostRun run, ArraySegment<byte> source, Span<byte> cluster)
    {
        bool complete = type == Qcow2CompressionType.Zstd
            ? ZstdDecoder.TryDecode(source, cluster, maxZstdWindow)
            : Inflater.TryInflate(source, cluster);
        if (!complete)
        {
            string name = type == Qcow2CompressionType.Zstd ? "zstd" : "deflate";
            throw new Qcow2FormatException(
                $"compressed cluster: the {name} data is broken, or yields less than {cluster.Length} of the cluster's {clusterSize} bytes",
                file.Path,
                run.GuestOffset - run.OffsetInCluster,
                run.HostOffset);
        }

        Instruments.Decompressed(type, cluster.Length);
    }
}
