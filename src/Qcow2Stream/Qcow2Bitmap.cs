using DiscUtils.Streams;
using Qcow2Stream.Format;
using Qcow2Stream.Images;

namespace Qcow2Stream;

/// <summary>
/// A persistent dirty bitmap of an image (section "Bitmaps" of the specification): which parts of the active disk were
/// written to since it was started. Immutable, and good as long as the chain it came from is open.
/// </summary>
public sealed class Qcow2Bitmap
{
    private readonly Qcow2Image _image;

    internal Qcow2Bitmap(Qcow2Image image, BitmapEntry entry)
    {
        _image = image;
        Entry = entry;
    }

    /// <summary>The bitmap's name. It is untrusted text.</summary>
    public string Name => Entry.Name;

    /// <summary>The bytes of the disk that one bit stands for: a power of two from 512 to 2 GiB.</summary>
    public long Granularity => 1L << Entry.GranularityBits;

    /// <summary>
    /// Whether the bitmap was not saved cleanly: what it says can't be relied on, and <see cref="DirtyExtents()"/>
    /// refuses to read it.
    /// </summary>
    public bool IsInUse => Entry.Flags.HasFlag(BitmapFlags.InUse);

    /// <summary>Whether QEMU goes on recording in it when it opens the image ("auto").</summary>
    public bool IsEnabled => Entry.Flags.HasFlag(BitmapFlags.Auto);

    internal BitmapEntry Entry { get; }

    /// <summary>The parts of the disk that are marked, neighbours merged, cut at the disk's end. Lazy, in constant memory.</summary>
    /// <exception cref="Qcow2FormatException">The bitmap is in use, or its table is damaged; thrown while enumerating.</exception>
    public IEnumerable<StreamExtent> DirtyExtents() => DirtyExtents(0, long.MaxValue);

    /// <summary>The parts of a range that are marked.</summary>
    /// <param name="start">Where the range starts, in bytes; 0 or more.</param>
    /// <param name="length">How long it is, in bytes; 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    /// <inheritdoc cref="DirtyExtents()"/>
    public IEnumerable<StreamExtent> DirtyExtents(long start, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return BitmapReader.DirtyExtents(_image, Entry, start, length);
    }
}
