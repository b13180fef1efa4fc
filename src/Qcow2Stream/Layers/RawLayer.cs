using Qcow2Stream.Format;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>A raw file. Its disk is the file's length rounded up to a sector, as QEMU has it; the rest of the last sector is zeros.</summary>
internal sealed class RawLayer(HostFile file, long fileLength)
    : Layer(file, new RawTranslator(file, RoundUp(fileLength)))
{
    public override ImageFormat Format => ImageFormat.Raw;

    public override void Read(in HostRun run, Span<byte> buffer) =>
        ClearTail(run.HostOffset, buffer, File.ReadAt(run.HostOffset, buffer));

    public override async ValueTask ReadAsync(HostRun run, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int read = await File.ReadAtAsync(run.HostOffset, buffer, cancellationToken).ConfigureAwait(false);
        ClearTail(run.HostOffset, buffer.Span, read);
    }

    private void ClearTail(long hostOffset, Span<byte> buffer, int read)
    {
        if (hostOffset + read < Math.Min(hostOffset + buffer.Length, fileLength))
        {
            throw new Qcow2FormatException(
                $"the file ends early: it had {fileLength} bytes when it was opened", File.Path, hostOffset, hostOffset + read);
        }

        buffer[read..].Clear();
    }

    /// <summary>Rounds up to a sector; the longest of all files down, as there is no longer disk.</summary>
    private static long RoundUp(long length) =>
        (Math.Min(length, long.MaxValue - Sector.Size) + Sector.Size - 1) & ~(Sector.Size - 1);
}
