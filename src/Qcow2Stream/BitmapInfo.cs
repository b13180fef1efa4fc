namespace Qcow2Stream;

/// <summary>
/// What an image says of a persistent dirty bitmap, without its bits: to read them, open the chain
/// (<see cref="Qcow2Chain.GetBitmaps()"/>). Immutable.
/// </summary>
public sealed record BitmapInfo
{
    internal BitmapInfo()
    {
    }

    /// <summary>The bitmap's name. It is untrusted text.</summary>
    public required string Name { get; init; }

    /// <summary>The bytes of the disk that one bit stands for: a power of two from 512 to 2 GiB.</summary>
    public required long Granularity { get; init; }

    /// <summary>Whether the bitmap was not saved cleanly: what it says can't be relied on.</summary>
    public required bool IsInUse { get; init; }

    /// <summary>Whether QEMU continues recording in it when it opens the image ("auto").</summary>
    public required bool IsEnabled { get; init; }
}
