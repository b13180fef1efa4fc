using DiscUtils.Streams;
using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>
/// A persistent dirty bitmap of an image (section "Bitmaps" of the specification): which parts of the active disk were
/// written to since it was started. Immutable, and valid as long as the chain it came from is open.
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
    /// Whether the bitmap was not saved cleanly: what it says can't be relied on, and <see cref="GetDirtyExtents()"/>
    /// refuses to read it.
    /// </summary>
    public bool IsInUse => Entry.Flags.HasFlag(BitmapFlags.InUse);

    /// <summary>Whether QEMU continues recording in it when it opens the image ("auto").</summary>
    public bool IsEnabled => Entry.Flags.HasFlag(BitmapFlags.Auto);

    internal BitmapEntry Entry { get; }

    /// <summary>The parts of the disk that are marked, neighbours merged, cut at the disk's end. Lazy, in constant memory.</summary>
    /// <exception cref="Qcow2FormatException">The bitmap is in use, or its table is damaged; thrown while enumerating.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed; thrown while enumerating.</exception>
    public IEnumerable<StreamExtent> GetDirtyExtents() => GetDirtyExtents(0, long.MaxValue);

    /// <summary>The parts of a range that are marked.</summary>
    /// <param name="start">Where the range starts, in bytes; 0 or more.</param>
    /// <param name="length">How long it is, in bytes; 0 or more.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; thrown while enumerating.</exception>
    /// <inheritdoc cref="GetDirtyExtents()"/>
    public IEnumerable<StreamExtent> GetDirtyExtents(long start, long length, CancellationToken cancellationToken = default) =>
        ListAsync(start, length, async: false, cancellationToken).Now();

    /// <inheritdoc cref="GetDirtyExtents()"/>
    /// <param name="cancellationToken">Ends the listing.</param>
    public IAsyncEnumerable<StreamExtent> GetDirtyExtentsAsync(CancellationToken cancellationToken = default) =>
        GetDirtyExtentsAsync(0, long.MaxValue, cancellationToken);

    /// <inheritdoc cref="GetDirtyExtents(long, long, CancellationToken)"/>
    public IAsyncEnumerable<StreamExtent> GetDirtyExtentsAsync(long start, long length, CancellationToken cancellationToken = default) =>
        ListAsync(start, length, async: true, cancellationToken);

    private IAsyncEnumerable<StreamExtent> ListAsync(long start, long length, bool async, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return BitmapReader.DirtyExtentsAsync(_image, Entry, start, length, async, cancellationToken);
    }
}
