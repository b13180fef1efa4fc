using Qcow2Stream.HostFiles;
using Qcow2Stream.Info;
using Qcow2Stream.Layers;
using Qcow2Stream.Opening;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>What an image says of itself. Immutable.</summary>
public sealed class ImageInfo
{
    internal ImageInfo(ImageFacts facts)
    {
        Facts = facts;
    }

    /// <summary>The file's path or address as it was opened; null for a file without a name.</summary>
    public string? Path => Facts.Path;

    /// <summary>The image's format.</summary>
    public ImageFormat Format => Facts.Format;

    /// <inheritdoc cref="ImageLayer.FormatName"/>
    public string FormatName => Facts.FormatName;

    /// <summary>The size of a cluster in bytes; null for formats without clusters.</summary>
    public int? ClusterSize => Facts.ClusterSize;

    /// <summary>The backing file's name as recorded; null if the image has none. It is untrusted text.</summary>
    public string? BackingFile => Facts.Backing?.Text;

    /// <summary>The backing file's format as recorded; null if none is. It is untrusted text.</summary>
    public string? BackingFormat => Facts.Backing?.Format;

    /// <summary>The size of the guest's disk in bytes.</summary>
    public long Length => Facts.Length;

    /// <summary>The bytes that the file takes on its file system; its length where that can't be known.</summary>
    public long AllocatedLength => Facts.AllocatedLength;

    /// <summary>The image's header; null unless it is qcow2, version 2 or 3.</summary>
    public Qcow2Header? Header => Facts.Header;

    /// <summary>The internal snapshots, in the order of the image's table.</summary>
    public IReadOnlyList<Qcow2Snapshot> Snapshots => Facts.Snapshots;

    /// <summary>The persistent dirty bitmaps, in the order of the image's directory. To read one's bits, open the chain.</summary>
    public IReadOnlyList<BitmapInfo> Bitmaps => Facts.Bitmaps;

    /// <summary>How the image is encrypted; null if it is not.</summary>
    public EncryptionInfo? Encryption => Facts.Encryption;

    /// <summary>
    /// The path or address that <see cref="FollowPolicy.Trusted"/> would open as the backing file; null if the image has none, or
    /// its name can't mean one, as in a stream or a caller's own store. It is untrusted text, and may not exist.
    /// </summary>
    public string? FullBackingFile => Facts.FullBackingFile;

    internal ImageFacts Facts { get; }

    /// <summary>Reads what one image says of itself, and opens nothing that it names.</summary>
    /// <param name="path">The image: a regular file.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)" path="/exception"/>
    public static ImageInfo Read(string path, Qcow2OpenOptions? options = null) =>
        ReadOneAsync(ImageSource.Of(path), options, async: false, default).Now();

    /// <inheritdoc cref="Read(string, Qcow2OpenOptions?)"/>
    /// <param name="uri">The image: an absolute address, http or https.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    public static ImageInfo Read(Uri uri, Qcow2OpenOptions? options = null) =>
        ReadOneAsync(ImageSource.Of(uri, options), options, async: false, default).Now();

    /// <inheritdoc cref="Read(string, Qcow2OpenOptions?)"/>
    /// <param name="stream">The image: readable and seekable. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    public static ImageInfo Read(Stream stream, Qcow2OpenOptions? options = null) =>
        ReadOneAsync(ImageSource.Of(stream, options), options, async: false, default).Now();

    /// <inheritdoc cref="Read(string, Qcow2OpenOptions?)"/>
    /// <param name="file">The image, of any kind. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    public static ImageInfo Read(HostFile file, Qcow2OpenOptions? options = null) =>
        ReadOneAsync(ImageSource.Of(file, options), options, async: false, default).Now();

    /// <inheritdoc cref="Read(string, Qcow2OpenOptions?)"/>
    /// <param name="path">The image: a regular file.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ImageInfo> ReadAsync(string path, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadOneAsync(ImageSource.Of(path), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Read(Uri, Qcow2OpenOptions?)"/>
    /// <param name="uri">The image: an absolute address, http or https.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ImageInfo> ReadAsync(Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadOneAsync(ImageSource.Of(uri, options), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Read(Stream, Qcow2OpenOptions?)"/>
    /// <param name="stream">The image: readable and seekable. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ImageInfo> ReadAsync(Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadOneAsync(ImageSource.Of(stream, options), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Read(HostFile, Qcow2OpenOptions?)"/>
    /// <param name="file">The image, of any kind. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">How to open; null for the defaults. What is about other files is ignored.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ImageInfo> ReadAsync(HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadOneAsync(ImageSource.Of(file, options), options, async: true, cancellationToken).ConfigureAwait(false);

    /// <summary>Reads what each image of an open chain says of itself, the top one first. The chain stays open.</summary>
    /// <param name="chain">The chain.</param>
    /// <exception cref="Qcow2Exception">A table that holds some of it is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    public static IReadOnlyList<ImageInfo> ReadChain(Qcow2Chain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return DescribeAsync(chain.Inner, async: false, default).Now();
    }

    /// <inheritdoc cref="ReadChain(Qcow2Chain)"/>
    /// <param name="chain">The chain.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<IReadOnlyList<ImageInfo>> ReadChainAsync(Qcow2Chain chain, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return await DescribeAsync(chain.Inner, async: true, cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<ImageInfo> ReadOneAsync(
        HostFile file, Qcow2OpenOptions? options, bool async, CancellationToken cancellationToken)
    {
        // No policy: nothing that the image names is opened, nor looked for.
        using OpenChain image = await ChainOpener.OpenAsync(
            file, options ?? Qcow2OpenOptions.Default, policy: null, async, cancellationToken).ConfigureAwait(false);
        return (await DescribeAsync(image, async, cancellationToken).ConfigureAwait(false))[0];
    }

    private static async ValueTask<ImageInfo[]> DescribeAsync(OpenChain chain, bool async, CancellationToken cancellationToken)
    {
        chain.ThrowIfDisposed();
        return [.. (await ImageFacts.ReadAsync(chain, async, cancellationToken).ConfigureAwait(false)).Select(facts => new ImageInfo(facts))];
    }
}
