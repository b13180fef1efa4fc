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

    /// <summary>The file's path or address as it was opened; empty for a file without a name.</summary>
    public string Path => Facts.Path ?? "";

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

    /// <summary>The persistent dirty bitmaps, in the order of the image's directory. To read one, open the chain.</summary>
    public IReadOnlyList<Qcow2Bitmap> Bitmaps => Facts.Bitmaps;

    /// <summary>How the image is encrypted; null if it is not.</summary>
    public EncryptionInfo? Encryption => Facts.Encryption;

    /// <summary>
    /// The path or address that <see cref="FollowPolicy.Trusted"/> would open as the backing file; null if the image has none, or
    /// its name can't mean one, as in a stream or a store of the caller's own. It is untrusted text, and nothing has looked whether it exists.
    /// </summary>
    public string? FullBackingFile => Facts.FullBackingFile;

    internal ImageFacts Facts { get; }

    /// <summary>Reads what one image says of itself, and opens nothing that it names.</summary>
    /// <param name="path">The image: a regular file.</param>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)" path="/exception"/>
    public static ImageInfo Read(string path) => Read(HostFile.FromPath(path));

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="file">The image, of any kind; it is closed.</param>
    public static ImageInfo Read(HostFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using OpenChain image = ChainOpener.OpenAsync(file, Qcow2OpenOptions.Default, policy: null, async: false, default).Now();
        return Describe(image)[0];
    }

    /// <summary>Opens a chain and reads what each of its images says of itself, the top one first.</summary>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)"/>
    public static IReadOnlyList<ImageInfo> ReadChain(string path, Qcow2OpenOptions? options = null) =>
        ReadChain(HostFile.FromPath(path), options);

    /// <summary>Opens a chain and reads what each of its images says of itself, the top one first.</summary>
    /// <inheritdoc cref="Qcow2Chain.Open(HostFile, Qcow2OpenOptions?)"/>
    public static IReadOnlyList<ImageInfo> ReadChain(HostFile file, Qcow2OpenOptions? options = null)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(file, options);
        return Describe(chain.Inner);
    }

    private static ImageInfo[] Describe(OpenChain chain) =>
        [.. ImageFacts.ReadAsync(chain, async: false, default).Now().Select(facts => new ImageInfo(facts))];
}
