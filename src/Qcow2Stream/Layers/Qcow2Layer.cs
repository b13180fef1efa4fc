using System.Buffers;
using System.Diagnostics;
using Qcow2Stream.Crypto;
using Qcow2Stream.IO;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>A qcow2 image: whole runs of data in one positional read, compressed clusters one at a time.</summary>
internal sealed class Qcow2Layer(
    Qcow2Image image, Qcow2Disk disk, DecompressedClusters decompressed, long cacheBytes, LayerKey? key)
    : Layer(image.File, new Qcow2Translator(image, disk.L1, disk.Length, cacheBytes))
{
    public override ImageFormat Format => ImageFormat.Qcow2;

    public override Qcow2Header Header => Image.Header;

    public override HostFile ClusterFile => Image.ClusterFile;

    public Qcow2Image Image { get; } = image;

    public Qcow2Disk Disk { get; } = disk;

    public override void Read(in HostRun run, Span<byte> buffer)
    {
        if (run.Kind == RunKind.Data && key is not null)
        {
            ReadEncrypted(key, run, buffer);
        }
        else if (run.Kind == RunKind.Data)
        {
            ClearTail(run, run.HostOffset, buffer, ClusterFile.ReadAt(run.HostOffset, buffer));
        }
        else if (!decompressed.TryCopy(File, run, buffer))
        {
            byte[] source = ArrayPool<byte>.Shared.Rent((int)run.HostLength);
            try
            {
                int read = File.ReadAt(run.HostOffset, source.AsSpan(0, (int)run.HostLength));
                Decompress(run, new ArraySegment<byte>(source, 0, read), buffer);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(source);
            }
        }
    }

    public override async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (run.Kind == RunKind.Data && key is not null)
        {
            await ReadEncryptedAsync(key, run, buffer, cancellationToken).ConfigureAwait(false);
        }
        else if (run.Kind == RunKind.Data)
        {
            int read = await ClusterFile.ReadAtAsync(run.HostOffset, buffer, cancellationToken).ConfigureAwait(false);
            ClearTail(run, run.HostOffset, buffer.Span, read);
        }
        else if (!decompressed.TryCopy(File, run, buffer.Span))
        {
            byte[] source = ArrayPool<byte>.Shared.Rent((int)run.HostLength);
            try
            {
                int read = await File.ReadAtAsync(run.HostOffset, source.AsMemory(0, (int)run.HostLength), cancellationToken)
                    .ConfigureAwait(false);
                Decompress(run, new ArraySegment<byte>(source, 0, read), buffer.Span);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(source);
            }
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        key?.Dispose();
    }

    private void ReadEncrypted(LayerKey layerKey, in HostRun run, Span<byte> buffer)
    {
        ValueTask<SectorCipher> unlocked = layerKey.GetCipherAsync(async: false, default);
        Debug.Assert(unlocked.IsCompleted, "with async: false the cipher is there");
        SectorCipher cipher = unlocked.GetAwaiter().GetResult();
        Span<byte> sector = stackalloc byte[SectorSlice.SectorSize];
        SectorSlice slice;
        for (int done = 0; done < buffer.Length; done += slice.Length)
        {
            slice = SectorSlice.At(run, Header.EncryptionMethod, done, buffer.Length);
            Span<byte> target = slice.IsWhole ? buffer.Slice(done, slice.Length) : sector;
            ClearTail(run, slice.HostOffset, target, ClusterFile.ReadAt(slice.HostOffset, target));
            cipher.Decrypt(target, slice.Sector);
            if (!slice.IsWhole)
            {
                target.Slice(slice.Skip, slice.Length).CopyTo(buffer[done..]);
            }
        }
    }

    private async ValueTask ReadEncryptedAsync(
        LayerKey layerKey, HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        SectorCipher cipher = await layerKey.GetCipherAsync(async: true, cancellationToken).ConfigureAwait(false);
        byte[]? sector = null;
        SectorSlice slice;
        for (int done = 0; done < buffer.Length; done += slice.Length)
        {
            slice = SectorSlice.At(run, Header.EncryptionMethod, done, buffer.Length);
            Memory<byte> target = slice.IsWhole
                ? buffer.Slice(done, slice.Length)
                : sector ??= new byte[SectorSlice.SectorSize];
            int read = await ClusterFile.ReadAtAsync(slice.HostOffset, target, cancellationToken).ConfigureAwait(false);
            ClearTail(run, slice.HostOffset, target.Span, read);
            cipher.Decrypt(target.Span, slice.Sector);
            if (!slice.IsWhole)
            {
                target.Slice(slice.Skip, slice.Length).CopyTo(buffer[done..]);
            }
        }
    }

    /// <summary>A cluster that starts inside the file may end behind it: that rest is zeros. Anything more is missing.</summary>
    private void ClearTail(in HostRun run, long hostOffset, Span<byte> buffer, int read)
    {
        if (read == buffer.Length)
        {
            return;
        }

        long fileEnd = hostOffset + read;
        long lastCluster = (hostOffset + buffer.Length - 1) & -Header.ClusterSize;
        if (lastCluster >= fileEnd && ClusterFile.GetLength() <= lastCluster)
        {
            Image.Damaged(
                new Qcow2FormatException(
                    "the file ends early: a data cluster that lay inside it when it was mapped does not any more",
                    ClusterFile.Path,
                    run.GuestOffset + (fileEnd - run.HostOffset),
                    fileEnd),
                buffer.Length - read);
        }

        buffer[read..].Clear();
    }

    /// <summary>
    /// A whole cluster goes straight into the caller's buffer; of a part, the cluster is kept for the reads that
    /// usually follow.
    /// </summary>
    private void Decompress(in HostRun run, ArraySegment<byte> source, Span<byte> buffer)
    {
        if (buffer.Length == Header.ClusterSize)
        {
            DecompressCluster(run, source, buffer);
            return;
        }

        byte[] cluster = GC.AllocateUninitializedArray<byte>(Header.ClusterSize);
        DecompressCluster(run, source, cluster);
        decompressed.Add(File, run, cluster);
        cluster.AsSpan(run.OffsetInCluster, buffer.Length).CopyTo(buffer);
    }

    private void DecompressCluster(in HostRun run, ArraySegment<byte> source, Span<byte> cluster)
    {
        bool complete = Header.CompressionType == Qcow2CompressionType.Zstd
            ? ZstdDecoder.TryDecode(source, cluster)
            : Inflater.TryInflate(source, cluster);
        if (!complete)
        {
            string name = Header.CompressionType == Qcow2CompressionType.Zstd ? "zstd" : "deflate";
            throw new Qcow2FormatException(
                $"compressed cluster: the {name} data is broken, or yields less than a cluster of {cluster.Length} bytes",
                File.Path,
                run.GuestOffset - run.OffsetInCluster,
                run.HostOffset);
        }
    }
}
