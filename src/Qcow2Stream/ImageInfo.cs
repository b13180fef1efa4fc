using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Images;
using Qcow2Stream.Layers;
using Qcow2Stream.Opening;

namespace Qcow2Stream;

/// <summary>What an image says of itself. Immutable.</summary>
public sealed class ImageInfo
{
    private readonly BackingReference? _backing;
    private readonly Uri? _address;
    private readonly string? _directory;

    private ImageInfo(Layer layer, IReadOnlyList<Qcow2Snapshot> snapshots, IReadOnlyList<Qcow2Bitmap> bitmaps)
    {
        Path = layer.File.Path ?? "";
        _address = (layer.File as HttpHostFile)?.Uri;
        _directory = layer.File.HostDirectory;
        Format = layer.Format;
        FormatName = layer.FormatName;
        ClusterSize = layer.ClusterSize;
        _backing = layer.Backing;
        Length = layer.Translator.Length;
        Header = layer.Header;
        AllocatedLength = layer.File.GetAllocatedLength();
        Snapshots = snapshots;
        Bitmaps = bitmaps;
    }

    /// <summary>The file's path or address as it was opened; empty for a file without a name.</summary>
    public string Path { get; }

    /// <summary>The image's format.</summary>
    public ImageFormat Format { get; }

    /// <inheritdoc cref="ImageLayer.FormatName"/>
    public string FormatName { get; }

    /// <summary>The size of a cluster in bytes; null for formats without clusters.</summary>
    public int? ClusterSize { get; }

    /// <summary>The backing file's name as recorded; null if the image has none. It is untrusted text.</summary>
    public string? BackingFile => _backing?.Text;

    /// <summary>The backing file's format as recorded; null if none is. It is untrusted text.</summary>
    public string? BackingFormat => _backing?.Format;

    /// <summary>The size of the guest's disk in bytes.</summary>
    public long Length { get; }

    /// <summary>The bytes that the file takes on its file system; its length where that can't be known.</summary>
    public long AllocatedLength { get; }

    /// <summary>The image's header; null unless it is qcow2, version 2 or 3.</summary>
    public Qcow2Header? Header { get; }

    /// <summary>The internal snapshots, in the order of the image's table.</summary>
    public IReadOnlyList<Qcow2Snapshot> Snapshots { get; }

    /// <summary>The persistent dirty bitmaps, in the order of the image's directory. To read one, open the chain.</summary>
    public IReadOnlyList<Qcow2Bitmap> Bitmaps { get; }

    /// <summary>How the image is encrypted; null if it is not.</summary>
    public EncryptionInfo? Encryption { get; private init; }

    /// <summary>
    /// The path or address that <see cref="FollowPolicy.Trusted"/> would open as the backing file; null if the image has none, or
    /// its name can't mean one, as in a stream or a store of the caller's own. It is untrusted text, and nothing has looked whether it exists.
    /// </summary>
    public string? FullBackingFile => PlainBackingFile is not { } name ? null
        : _address is not null ? UrlGate.Combine(_address, name)
        : _directory is null ? null : System.IO.Path.Combine(_directory, name);

    private string? PlainBackingFile =>
        _backing is null ? null
        : !JsonFileName.IsJson(_backing.Name.Span) ? FileName.WithoutScheme(_backing.Text)
        : JsonFileName.Parse(_backing.Name, _backing.Format, Qcow2OpenOptions.Default.MaxJsonDepth, out JsonFileName json) is null ? json.FileName
        : null;

    /// <summary>Reads what one image says of itself, and opens nothing that it names.</summary>
    /// <param name="path">The image: a regular file.</param>
    /// <inheritdoc cref="Qcow2Chain.Open(string, Qcow2OpenOptions?)" path="/exception"/>
    public static ImageInfo Read(string path) => Read(HostFile.FromPath(path));

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="file">The image, of any kind; it is closed.</param>
    public static ImageInfo Read(HostFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using Qcow2Chain image = Qcow2Chain.OpenTop(file);
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
        return Describe(chain);
    }

    private static ImageInfo[] Describe(Qcow2Chain chain) =>
        [.. chain.Images.Select(i => new ImageInfo(i, chain.GetSnapshots(i), chain.GetBitmaps(i)) { Encryption = Qcow2Chain.GetEncryption(i) })];
}
