using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>An image in a format that DiscUtils reads.</summary>
internal sealed class ForeignLayer(HostFile file, ForeignDisk disk) : Layer(file, disk)
{
    public override ImageFormat Format => ImageFormat.Other;

    public override string FormatName => disk.FormatName;

    public override void Read(in HostRun run, Span<byte> buffer) => disk.Read(run.GuestOffset, buffer);

    public override ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken) =>
        disk.ReadAsync(run.GuestOffset, buffer, cancellationToken);

    public override void Dispose()
    {
        try
        {
            disk.Dispose();
        }
        finally
        {
            base.Dispose();
        }
    }
}
