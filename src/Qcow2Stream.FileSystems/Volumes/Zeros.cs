namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>Nothing but zeros, which are stored nowhere.</summary>
internal sealed class Zeros(long length) : MappedVolume(length)
{
    protected override Placement Locate(long offset) => new(null, 0, Length - offset);
}
