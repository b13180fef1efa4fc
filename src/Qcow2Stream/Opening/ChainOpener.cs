using System.Text;
using Qcow2Stream.Format;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Images;
using Qcow2Stream.Layers;
using Qcow2Stream.Layers.Foreign;
using Qcow2Stream.Layers.Vmdk;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream.Opening;

/// <summary>
/// Opens a top image and, layer by layer, the files named below it: names, formats, policy, loops, depth. Owns every
/// file it has opened until the whole chain is there.
/// </summary>
internal sealed class ChainOpener : IDisposable
{
    private const string TrustsAll = "Follow = FollowPolicy.Trusted";

    private readonly Qcow2OpenOptions _options;
    private readonly List<OpenedImage> _images = [];

    private ChainOpener(Qcow2OpenOptions options)
    {
        _options = options;
    }

    /// <summary>Opens the chain below <paramref name="top"/>, and takes ownership of it, also when that fails.</summary>
    /// <param name="top">The top file.</param>
    /// <param name="options">The caller's options.</param>
    /// <param name="policy">Which named files to open; null to open the top image and leave it at that.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    public static async ValueTask<OpenChain> OpenAsync(
        HostFile top, Qcow2OpenOptions options, FollowPolicy? policy, bool async, CancellationToken cancellationToken)
    {
        OpenChain? chain = null;
        bool isTaken = false;
        try
        {
            using Operation? operation = Operation.Open();
            try
            {
                isTaken = true;
                chain = await OpenLayersAsync(top, options, policy, async, cancellationToken).ConfigureAwait(false);
                operation?.Opened(chain.Layers[0].FormatName, chain.Layers.Count);
            }
            catch (Exception e)
            {
                operation?.Failed(e);
                throw;
            }
        }
        catch
        {
            // Also what a listener throws at the start or the end.
            (chain ?? (isTaken ? null : (IDisposable)top))?.Dispose();
            throw;
        }

        return chain;
    }

    private static async ValueTask<OpenChain> OpenLayersAsync(
        HostFile top, Qcow2OpenOptions options, FollowPolicy? policy, bool async, CancellationToken cancellationToken)
    {
        using ChainOpener opener = new(options);
        HostFile file = top;
        await ConnectTopAsync(top, async, cancellationToken).ConfigureAwait(false);
        string? format = options.Format is { } given ? FormatNames.Of(given) : null;
        while (true)
        {
            bool probed = format is null && opener._images.Count > 0;
            OpenedImage image = await opener.AddAsync(file, format, policy, async, cancellationToken).ConfigureAwait(false);
            if (policy is not null && image.Header is { HasDataFile: true } header)
            {
                await opener.OpenDataFileAsync(policy, header, probed, async, cancellationToken).ConfigureAwait(false);
            }

            if (policy is null || image.Backing is not { } backing)
            {
                return new OpenChain(await opener.BuildLayersAsync(async, cancellationToken).ConfigureAwait(false), options);
            }

            (file, NamedFile named, format) = opener.OpenBackingFile(policy, backing, probed);
            await opener.ConnectAsync(file, named, async, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Closes what was opened, unless <see cref="BuildLayersAsync"/> has handed it on.</summary>
    public void Dispose()
    {
        Disposal.OfAll(_images.SelectMany(i => new IDisposable?[] { i.Foreign, i.Vmdk, i.File, i.DataFile }));
    }

    private static async ValueTask ConnectTopAsync(HostFile top, bool async, CancellationToken cancellationToken)
    {
        try
        {
            await top.ConnectAsync(async, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            top.Dispose();
            throw;
        }
    }

    private async ValueTask<OpenedImage> AddAsync(
        HostFile file, string? format, FollowPolicy? policy, bool async, CancellationToken cancellationToken)
    {
        OpenedImage image = new(file);
        _images.Add(image);
        image.FileLength = file.GetLength();
        if (format is null or FormatNames.Qcow2)
        {
            (format, image.Header) = await HeaderReader.ReadAsync(file, image.FileLength, format, _options, async, cancellationToken)
                .ConfigureAwait(false);
        }

        switch (format)
        {
            case FormatNames.Raw or FormatNames.File:
                break;
            case FormatNames.Qcow2:
                image.Backing = BackingReference.Of(image.Header!);
                break;
            case FormatNames.Qcow1:
                Qcow1Header header = await Qcow1HeaderReader.ReadAsync(file, image.FileLength, _options, async, cancellationToken)
                    .ConfigureAwait(false);
                image.Qcow1Header = header;
                image.Backing = await Qcow1HeaderReader.ReadBackingAsync(file, header, async, cancellationToken).ConfigureAwait(false);
                break;
            case FormatNames.Vmdk:
                image.Vmdk = VmdkImage.Open(file, name => OpenPart(policy ?? FollowPolicy.None, name.Span));
                image.Backing = image.Vmdk.Backing;
                if (_images.Count > 1)
                {
                    _images[^2].Vmdk?.CheckParent(image.Vmdk);
                }

                break;
            case var foreign:
                image.Foreign = ForeignDisk.Open(foreign, file, name => OpenPart(policy ?? FollowPolicy.None, Encoding.UTF8.GetBytes(name)), _options);
                break;
        }

        return image;
    }

    /// <summary>Opens the backing file of the last image, which was found by its magic alone if <paramref name="probed"/>.</summary>
    /// <returns>The file, what names it, and the format that is recorded for it.</returns>
    private (HostFile File, NamedFile Named, string? Format) OpenBackingFile(FollowPolicy policy, BackingReference backing, bool probed)
    {
        bool isParent = _images[^1].Vmdk is not null;
        NamedFile named = Name(isParent ? NamedFileKind.ExtentOrParent : NamedFileKind.BackingFile, backing.Text, backing.Format);
        if (_images.Count >= _options.MaxChainDepth)
        {
            throw Refuse(named, $"the chain would be deeper than the {_options.MaxChainDepth} layers that MaxChainDepth allows", hint: nameof(Qcow2OpenOptions.MaxChainDepth));
        }

        if (isParent || !JsonFileName.IsJson(backing.Name.Span))
        {
            return (Open(policy, named, backing.Name.Span, isLiteral: isParent, probed), named, backing.Format);
        }

        if (JsonFileName.Parse(backing.Name, backing.Format, _options.MaxJsonDepth, out JsonFileName json) is { } fault)
        {
            // A resolver may know what to make of it.
            return policy.Resolver is not null
                ? (Open(policy, named, backing.Name.Span, isLiteral: true, probed), named, backing.Format)
                : throw Refuse(named, fault, hint: fault.EndsWith(JsonFileName.TooDeep, StringComparison.Ordinal) ? nameof(Qcow2OpenOptions.MaxJsonDepth) : null);
        }

        named = named with { Name = json.FileName, Format = json.Format };
        return (Open(policy, named, Encoding.UTF8.GetBytes(json.FileName), isLiteral: true, probed), named, json.Format);
    }

    /// <summary>Opens a file that the last image names: an extent, or what DiscUtils asks for.</summary>
    private HostFile OpenPart(FollowPolicy policy, ReadOnlySpan<byte> name)
    {
        NamedFile named = Name(NamedFileKind.ExtentOrParent, Encoding.UTF8.GetString(name), format: null);
        HostFile file = Open(policy, named, name, isLiteral: true, probed: false);
        ConnectAsync(file, named, async: false, default).Now();
        return file;
    }

    private async ValueTask OpenDataFileAsync(
        FollowPolicy policy, Qcow2Header header, bool probed, bool async, CancellationToken cancellationToken)
    {
        OpenedImage image = _images[^1];
        if (_images.Count == 1 && _options.DataFile is { } given)
        {
            // The caller's own choice, like the top image's path.
            image.DataFile = NotYetInChain(PathHostFile.Open(given), Name(NamedFileKind.DataFile, given, FormatNames.Raw));
            return;
        }

        NamedFile named = Name(NamedFileKind.DataFile, header.DataFile ?? "", FormatNames.Raw);
        image.DataFile = header.DataFileName.IsEmpty
            ? throw Refuse(named, "the image does not name it (to name it: DataFile)", hint: nameof(Qcow2OpenOptions.DataFile))
            : Open(policy, named, header.DataFileName.Span, isLiteral: true, probed);
        await ConnectAsync(image.DataFile, named, async, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A file that the last image names.</summary>
    private NamedFile Name(NamedFileKind kind, string name, string? format) =>
        new() { Kind = kind, Name = name, Format = format, ImagePath = _images[^1].File.Path };

    private HostFile Open(
        FollowPolicy policy, NamedFile named, ReadOnlySpan<byte> recordedName, bool isLiteral, bool probed)
    {
        // A guest can write a qcow2 header into its raw disk; where no format says that the disk is qcow2, that
        // header must not be what opens files of the host.
        if (probed && !policy.IsTrusted)
        {
            throw Refuse(
                named,
                "no format is recorded for the image that names it, and an image known only by its first bytes may not name files "
                + $"(to allow it: record the format with 'qemu-img rebase -u -F', or {TrustsAll})",
                hint: TrustsAll);
        }

        HostFile file;
        try
        {
            file = FileGate.Open(policy, _images[^1].File, recordedName, isLiteral, named);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Refuse(named, e);
        }

        return NotYetInChain(file, named);
    }

    /// <summary>Asks the host for a file that has just been opened; closes it if that fails.</summary>
    private async ValueTask ConnectAsync(HostFile file, NamedFile named, bool async, CancellationToken cancellationToken)
    {
        try
        {
            await file.ConnectAsync(async, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            file.Dispose();
            if (IsFault(e))
            {
                throw Refuse(named, e);
            }

            throw;
        }
    }

    private static bool IsFault(Exception e) => e is RefusedException or IOException or UnauthorizedAccessException;

    private NamedFileException Refuse(NamedFile named, Exception fault) => fault switch
    {
        RefusedException refused => Refuse(named, fault.Message, hint: refused.Hint),
        FileNotFoundException or DirectoryNotFoundException => Refuse(named, "it does not exist", fault),
        _ => Refuse(named, $"it can't be opened: {PrintableText.Escape(fault.Message)}", fault, (fault as Qcow2Exception)?.Hint),
    };

    /// <summary>Found by what the files are, not by their names, and among images and data files alike.</summary>
    private HostFile NotYetInChain(HostFile file, NamedFile named)
    {
        if (!_images.Any(i => Equals(i.File.Identity, file.Identity) || (i.DataFile is { } data && Equals(data.Identity, file.Identity))))
        {
            return file;
        }

        file.Dispose();
        throw Refuse(named, "the chain loops: that file is already part of it");
    }

    private NamedFileException Refuse(NamedFile named, string reason, Exception? cause = null, string? hint = null)
    {
        IEnumerable<string> chain = _images.Select(i => PrintableText.Escape(i.File.Path ?? "(stream)"));
        string kind = named.Kind switch
        {
            NamedFileKind.DataFile => "data file",
            NamedFileKind.ExtentOrParent => "extent or parent",
            _ => "backing file",
        };
        string name = PrintableText.Escape(named.Name);
        return new NamedFileException(
            $"{kind} '{name}' is not opened: {reason}; the chain: {string.Join(" -> ", chain)} -> {name}",
            named,
            cause)
        {
            Hint = hint,
        };
    }

    private async ValueTask<Layer[]> BuildLayersAsync(bool async, CancellationToken cancellationToken)
    {
        DecompressedClusters decompressed = new(_options.DecompressedCacheBytes);
        long cacheBytes = Math.Min(_options.LayerCacheBytes, _options.MetadataCacheBytes / _images.Count);
        Layer[] layers = new Layer[_images.Count];
        for (int depth = 0; depth < layers.Length; depth++)
        {
            OpenedImage opened = _images[depth];
            if (opened.Header is not { } header)
            {
                layers[depth] = BuildOther(opened, decompressed, cacheBytes);
                continue;
            }

            decompressed.Expect(header.ClusterSize);
            Qcow2Image image = new(opened.File, opened.FileLength, opened.DataFile, header, _options.DamageHandler);
            DiskTables disk = depth == 0 && _options.Snapshot is { } wanted
                ? DiskTables.Of(
                    image,
                    await SnapshotTable.FindAsync(image, wanted, _options, async, cancellationToken).ConfigureAwait(false),
                    _options.MaxL1TableBytes)
                : DiskTables.Active(image);
            LayerKey? key = header.EncryptionMethod == Qcow2EncryptionMethod.None ? null : new LayerKey(image, header.EncryptionMethod, _options);
            layers[depth] = new Qcow2Layer(image, disk, decompressed, cacheBytes, _options.MaxZstdWindowBytes, key);
        }

        if (_options.Snapshot is { } name && layers[0].Header is null)
        {
            throw new Qcow2Exception($"there is no snapshot '{name}': the image is {layers[0].FormatName}", _images[0].File.Path);
        }

        _images.Clear();
        return layers;
    }

    private Layer BuildOther(OpenedImage opened, DecompressedClusters decompressed, long cacheBytes)
    {
        if (opened.Foreign is { } foreign)
        {
            return new ForeignLayer(opened.File, foreign);
        }

        if (opened.Vmdk is { } vmdk)
        {
            decompressed.Expect(vmdk.LargestCompressedGrain);
            return vmdk.ToLayer(decompressed, cacheBytes);
        }

        if (opened.Qcow1Header is not { } header)
        {
            return new RawLayer(opened.File, opened.FileLength);
        }

        decompressed.Expect(header.ClusterSize);
        Qcow1Image image = new(opened.File, opened.FileLength, header, _options.DamageHandler);
        LayerKey? key = header.EncryptionMethod == Qcow2EncryptionMethod.None ? null : new LayerKey(image, header.EncryptionMethod, _options);
        return new Qcow1Layer(image, opened.Backing, decompressed, cacheBytes, key);
    }

    private sealed class OpenedImage(HostFile file)
    {
        public HostFile File { get; } = file;

        public long FileLength { get; set; }

        public Qcow2Header? Header { get; set; }

        public Qcow1Header? Qcow1Header { get; set; }

        public ForeignDisk? Foreign { get; set; }

        public VmdkImage? Vmdk { get; set; }

        public BackingReference? Backing { get; set; }

        public HostFile? DataFile { get; set; }
    }
}
