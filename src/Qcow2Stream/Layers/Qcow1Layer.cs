using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>An image in QEMU's first format.</summary>
internal sealed class Qcow1Layer(
    Qcow1Image image, BackingReference? backing, DecompressedClusters decompressed, long cacheBytes)
    : Layer(image.File, new Qcow1Translator(image, cacheBytes))
{
    private readonly CompressedClusters _compressed =
        new(image.File, image.Header.ClusterSize, Qcow2CompressionType.Zlib, decompressed);

    public override ImageFormat Format => ImageFormat.Qcow1;

    public override int? ClusterSize => image.Header.ClusterSize;

    public override BackingReference? Backing => backing;

    public override void Read(in HostRun run, Span<byte> buffer)
    {
        if (run.Kind == RunKind.Compressed)
        {
            _compressed.Read(run, buffer);
        }
        else
        {
            ClearTail(run, buffer, File.ReadAt(run.HostOffset, buffer));
        }
    }

    public override async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (run.Kind == RunKind.Compressed)
        {
            await _compressed.ReadAsync(run, buffer, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            int read = await File.ReadAtAsync(run.HostOffset, buffer, cancellationToken).ConfigureAwait(false);
            ClearTail(run, buffer.Span, read);
        }
    }

    private void ClearTail(in HostRun run, Span<byte> buffer, int read) =>
        ClusterTail.Clear(image, File, image.Header.ClusterSize, run, run.HostOffset, buffer, read);
}
