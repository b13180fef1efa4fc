using Qcow2Stream.HostFiles.Http;
using Qcow2Stream.Images;
using Qcow2Stream.Layers;
using Qcow2Stream.Opening;

namespace Qcow2Stream.Info;

/// <summary>What one image of a chain says of itself, as <see cref="InfoTree"/> and <see cref="InfoText"/> show it.</summary>
internal sealed class ImageFacts
{
    private ImageFacts()
    {
    }

    /// <summary>The file's path or address as it was opened; null for a file without a name.</summary>
    public required string? Path { get; init; }

    public required ImageFormat Format { get; init; }

    public required string FormatName { get; init; }

    public required int? ClusterSize { get; init; }

    /// <summary>What it records of its backing file; null if it has none.</summary>
    public required BackingReference? Backing { get; init; }

    /// <summary>The size of the guest's disk in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>The bytes that the file takes on its host.</summary>
    public required long AllocatedLength { get; init; }

    public required Qcow2Header? Header { get; init; }

    public required IReadOnlyList<Qcow2Snapshot> Snapshots { get; init; }

    public required IReadOnlyList<BitmapInfo> Bitmaps { get; init; }

    public required EncryptionInfo? Encryption { get; init; }

    /// <summary>The path or address that the backing file's name means; null if there is none, or it can't mean one.</summary>
    public string? FullBackingFile => PlainBackingFile is not { } name ? null
        : Address is not null ? UrlGate.Combine(Address, name)
        : Directory is null ? null : System.IO.Path.Combine(Directory, name);

    private Uri? Address { get; init; }

    private string? Directory { get; init; }

    private string? PlainBackingFile =>
        Backing is null ? null
        : !JsonFileName.IsJson(Backing.Name.Span) ? FileName.WithoutScheme(Backing.Text)
        : JsonFileName.Parse(Backing.Name, Backing.Format, Qcow2OpenOptions.Default.MaxJsonDepth, out JsonFileName json) is null ? json.FileName
        : null;

    /// <summary>Reads what each image of a chain says of itself, the top one first.</summary>
    /// <exception cref="Qcow2Exception">A table that holds some of it is damaged.</exception>
    public static async ValueTask<ImageFacts[]> ReadAsync(OpenChain chain, bool async, CancellationToken cancellationToken)
    {
        ImageFacts[] facts = new ImageFacts[chain.Layers.Count];
        for (int depth = 0; depth < facts.Length; depth++)
        {
            facts[depth] = await ReadAsync(chain.Layers[depth], chain.Options, async, cancellationToken).ConfigureAwait(false);
        }

        return facts;
    }

    private static async ValueTask<ImageFacts> ReadAsync(
        Layer layer, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        Qcow2Image? image = (layer as Qcow2Layer)?.Image;
        return new ImageFacts
        {
            Path = layer.File.Path,
            Address = (layer.File.Underlying as HttpHostFile)?.Uri,
            Directory = layer.File.HostDirectory,
            Format = layer.Format,
            FormatName = layer.FormatName,
            ClusterSize = layer.ClusterSize,
            Backing = layer.Backing,
            Length = layer.Translator.Length,
            Header = layer.Header,
            AllocatedLength = layer.File.GetAllocatedLength(),
            Snapshots = image is null ? [] : await SnapshotTable.ReadAsync(image, options, async, cancellationToken).ConfigureAwait(false),
            Bitmaps = image is null ? [] : await BitmapsAsync(image, options, async, cancellationToken).ConfigureAwait(false),
            Encryption = await EncryptionFacts.ReadAsync(layer, async, cancellationToken).ConfigureAwait(false),
        };
    }

    private static async ValueTask<BitmapInfo[]> BitmapsAsync(
        Qcow2Image image, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken) =>
        [.. (await BitmapDirectory.ListAsync(image, options, async, cancellationToken).ConfigureAwait(false)).Select(b => new BitmapInfo
        {
            Name = b.Name,
            Granularity = b.Granularity,
            IsInUse = b.IsInUse,
            IsEnabled = b.IsEnabled,
        })];
}
