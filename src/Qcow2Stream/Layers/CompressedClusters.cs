using System.Buffers;
using Qcow2Stream.IO;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>Reads the compressed clusters of one image, one at a time.</summary>
internal sealed class CompressedClusters(
    HostFile file, int clusterSize, Qcow2CompressionType type, DecompressedClusters decompressed)
{
    /// <summary>Fills <paramref name="buffer"/> with the first bytes of a run of kind Compressed.</summary>
    public void Read(in HostRun run, Span<byte> buffer)
    {
        if (decompressed.TryCopy(file, run, buffer))
        {
            return;
        }

        byte[] source = ArrayPool<byte>.Shared.Rent((int)run.HostLength);
        try
        {
            int read = file.ReadAt(run.HostOffset, source.AsSpan(0, (int)run.HostLength));
            Decompress(run, new ArraySegment<byte>(source, 0, read), buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(source);
        }
    }

    /// <inheritdoc cref="Read"/>
    public async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (decompressed.TryCopy(file, run, buffer.Span))
        {
            return;
        }

        byte[] source = ArrayPool<byte>.Shared.Rent((int)run.HostLength);
        try
        {
            int read = await file.ReadAtAsync(run.HostOffset, source.AsMemory(0, (int)run.HostLength), cancellationToken)
                .ConfigureAwait(false);
            Decompress(run, new ArraySegment<byte>(source, 0, read), buffer.Span);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(source);
        }
    }

    /// <summary>
    /// A whole cluster goes straight into the caller's buffer; of a part, the cluster is kept for the reads that
    /// usually follow.
    /// </summary>
    private void Decompress(in HostRun run, ArraySegment<byte> source, Span<byte> buffer)
    {
        if (buffer.Length == clusterSize)
        {
            DecompressCluster(run, source, buffer);
            return;
        }

        byte[] cluster = GC.AllocateUninitializedArray<byte>(clusterSize);
        DecompressCluster(run, source, cluster);
        decompressed.Add(file, run, cluster);
        cluster.AsSpan(run.OffsetInCluster, buffer.Length).CopyTo(buffer);
    }

    private void DecompressCluster(in HostRun run, ArraySegment<byte> source, Span<byte> cluster)
    {
        bool complete = type == Qcow2CompressionType.Zstd
            ? ZstdDecoder.TryDecode(source, cluster)
            : Inflater.TryInflate(source, cluster);
        if (!complete)
        {
            string name = type == Qcow2CompressionType.Zstd ? "zstd" : "deflate";
            throw new Qcow2FormatException(
                $"compressed cluster: the {name} data is broken, or yields less than a cluster of {cluster.Length} bytes",
                file.Path,
                run.GuestOffset - run.OffsetInCluster,
                run.HostOffset);
        }
    }
}
