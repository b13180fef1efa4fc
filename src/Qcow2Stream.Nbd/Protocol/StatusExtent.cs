namespace Qcow2Stream.Nbd.Protocol;

/// <summary>A range of the disk with one status in a metadata context.</summary>
/// <param name="Start">Where it starts, in bytes of the disk.</param>
/// <param name="Length">How long it is, in bytes.</param>
/// <param name="Status">What the context says of it.</param>
internal readonly record struct StatusExtent(long Start, long Length, uint Status)
{
    /// <summary>The first byte of the disk after it.</summary>
    public long End => Start + Length;
}
