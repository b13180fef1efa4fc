using Qcow2Stream.Images;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>A layer in one of QEMU's own formats: whole runs of data in one positional read, compressed clusters one at a time.</summary>
internal abstract class ClusterLayer(
    HostFile file, ITranslator translator, DataClusters data, CompressedClusters compressed, LayerKey? key)
    : Layer(file, translator)
{
    public override bool IsEncrypted => key is not null;

    public override void Read(in HostRun run, Span<byte> buffer)
    {
        if (run.Kind == RunKind.Compressed)
        {
            compressed.Read(run, buffer);
        }
        else
        {
            data.Read(run, buffer);
        }
    }

    public override ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken) =>
        run.Kind == RunKind.Compressed
            ? compressed.ReadAsync(run, buffer, cancellationToken)
            : data.ReadAsync(run, buffer, cancellationToken);

    public override void Dispose()
    {
        try
        {
            base.Dispose();
        }
        finally
        {
            key?.Dispose();
        }
    }
}
