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
    private readonly CompressedClusters _compressed =
        new(image.File, image.Header.ClusterSize, image.Header.CompressionType, decompressed);

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
        else
        {
            _compressed.Read(run, buffer);
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
        else
        {
            await _compressed.ReadAsync(run, buffer, cancellationToken).ConfigureAwait(false);
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

    private void ClearTail(in HostRun run, long hostOffset, Span<byte> buffer, int read) =>
        ClusterTail.Clear(Image, ClusterFile, Header.ClusterSize, run, hostOffset, buffer, read);
}
