using Qcow2Stream.Format;

namespace Qcow2Stream.Images;

/// <summary>The file and header of an image in QEMU's first format, and what its length allows.</summary>
internal sealed class Qcow1Image(HostFile file, long fileLength, Qcow1Header header, Action<ImageDamage>? onDamage)
    : TableFile(file, fileLength, onDamage)
{
    public Qcow1Header Header { get; } = header;
}
