using Qcow2Stream.Crypto;
using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>
/// Reads runs of an image's uncompressed clusters: in one positional read straight into the caller's buffer and, where
/// the image is encrypted, decrypted there.
/// </summary>
/// <param name="image">The image, which says what damage means.</param>
/// <param name="clusterFile">The file that holds its clusters.</param>
/// <param name="key">Null for an image that is not encrypted.</param>
internal sealed class DataClusters(TableFile image, HostFile clusterFile, LayerKey? key)
{
    /// <inheritdoc cref="Layer.Read"/>
    public void Read(in HostRun run, Span<byte> buffer)
    {
        if (key is not null)
        {
            ReadEncrypted(key, run, buffer);
        }
        else
        {
            ClearTail(run, run.HostOffset, buffer, clusterFile.ReadAt(run.HostOffset, buffer));
        }
    }

    /// <inheritdoc cref="Layer.ReadAsync"/>
    public async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (key is not null)
        {
            await ReadEncryptedAsync(key, run, buffer, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            int read = await clusterFile.ReadAtAsync(run.HostOffset, buffer, cancellationToken).ConfigureAwait(false);
            ClearTail(run, run.HostOffset, buffer.Span, read);
        }
    }

    private void ReadEncrypted(LayerKey layerKey, in HostRun run, Span<byte> buffer)
    {
        SectorCipher cipher = layerKey.GetCipherAsync(async: false, default).Now();
        Span<byte> sector = stackalloc byte[Sector.Size];
        SectorSlice slice;
        for (int done = 0; done < buffer.Length; done += slice.Length)
        {
            slice = SectorSlice.At(run, layerKey.Method, done, buffer.Length);
            Span<byte> target = slice.IsWhole ? buffer.Slice(done, slice.Length) : sector;
            ClearTail(run, slice.HostOffset, target, clusterFile.ReadAt(slice.HostOffset, target));
            cipher.Decrypt(target, slice.FirstSector);
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
            slice = SectorSlice.At(run, layerKey.Method, done, buffer.Length);
            Memory<byte> target = slice.IsWhole
                ? buffer.Slice(done, slice.Length)
                : sector ??= new byte[Sector.Size];
            int read = await clusterFile.ReadAtAsync(slice.HostOffset, target, cancellationToken).ConfigureAwait(false);
            ClearTail(run, slice.HostOffset, target.Span, read);
            cipher.Decrypt(target.Span, slice.FirstSector);
            if (!slice.IsWhole)
            {
                target.Slice(slice.Skip, slice.Length).CopyTo(buffer[done..]);
            }
        }
    }

    /// <summary>
    /// A cluster that starts inside the file may end past it: that rest is zeros. But what the file once had, and has no
    /// longer, is missing.
    /// </summary>
    private void ClearTail(in HostRun run, long hostOffset, Span<byte> buffer, int read)
    {
        if (read == buffer.Length)
        {
            return;
        }

        long fileEnd = hostOffset + read;
        long known = image.ClusterFileLengthKnown;
        if (!run.IsPastEnd && fileEnd < Math.Min(hostOffset + buffer.Length, known))
        {
            image.Damaged(
                new Qcow2FormatException(
                    $"the file became shorter: it had {known} bytes, and ends inside a data cluster",
                    clusterFile.Path,
                    run.GuestOffset + (fileEnd - run.HostOffset),
                    fileEnd),
                buffer.Length - read);
        }

        buffer[read..].Clear();
    }
}
