using System.Buffers;
using Qcow2Stream.IO;
using Qcow2Stream.Translation;

namespace Qcow2Stream.Layers;

/// <summary>
/// Opens a top image and, layer by layer, the files named below it: names, formats, policy, loops, depth. Owns every
/// file it has opened until the whole chain is there.
/// </summary>
internal sealed class ChainOpener : IDisposable
{
    // Enough for the header, its extensions and the backing file name of nearly every image in one read.
    private const int HeaderGuess = 4096;

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
    public static async ValueTask<Layer[]> OpenAsync(
        HostFile top, Qcow2OpenOptions options, FollowPolicy? policy, bool async, CancellationToken cancellationToken)
    {
        using ChainOpener opener = new(options);
        HostFile file = top;
        string? format = options.Format?.ToString().ToLowerInvariant();
        while (true)
        {
            bool probed = format is null && opener._images.Count > 0;
            Qcow2Header? header = await opener.AddAsync(file, format, async, cancellationToken).ConfigureAwait(false);
            if (policy is not null && header is { HasDataFile: true })
            {
                opener.OpenDataFile(policy, header, probed);
            }

            if (policy is null || header is null || header.BackingFileName.IsEmpty)
            {
                return await opener.BuildLayersAsync(async, cancellationToken).ConfigureAwait(false);
            }

            file = opener.OpenBackingFile(policy, header, probed);
            format = header.BackingFormat;
        }
    }

    /// <summary>Closes what was opened, unless <see cref="BuildLayersAsync"/> has handed it on.</summary>
    public void Dispose()
    {
        foreach (OpenedImage image in _images)
        {
            image.File.Dispose();
            image.DataFile?.Dispose();
        }
    }

    /// <summary>Reads and checks the header of a qcow2 image, and nothing else of it. Null for a raw file.</summary>
    /// <param name="file">The image.</param>
    /// <param name="fileLength">Its length.</param>
    /// <param name="format">The recorded format; null to let the magic decide.</param>
    /// <param name="options">The limits.</param>
    /// <param name="async">False: the task has completed when this returns.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async ValueTask<Qcow2Header?> ReadHeaderAsync(
        HostFile file, long fileLength, string? format, Qcow2OpenOptions options, bool async, CancellationToken cancellationToken)
    {
        switch (format)
        {
            case "raw" or "file":
                return null;
            case "qcow2" or null:
                break;
            default:
                throw new Qcow2UnsupportedException(
                    $"format {PrintableText.Escape(format)}",
                    $"the format '{PrintableText.Escape(format)}' is not handled; qcow2 and raw are",
                    file.Path);
        }

        int length = (int)Math.Min(HeaderGuess, fileLength);
        while (true)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
            try
            {
                int read = await file.ReadAtAsync(0, buffer.AsMemory(0, length), async, cancellationToken).ConfigureAwait(false);
                ReadOnlySpan<byte> start = buffer.AsSpan(0, read);
                if (format is null && !Qcow2Header.HasMagic(start))
                {
                    return null;
                }

                if (Qcow2Header.Parse(start, fileLength, options.MaxL1TableBytes, file.Path, out int needed) is { } header)
                {
                    return header;
                }

                length = read == length
                    ? needed
                    : throw new Qcow2FormatException("the file became shorter while it was opened", file.Path, hostOffset: read);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private async ValueTask<Qcow2Header?> AddAsync(HostFile file, string? format, bool async, CancellationToken cancellationToken)
    {
        OpenedImage image = new(file);
        _images.Add(image);
        image.FileLength = file.GetLength();
        image.Header = await ReadHeaderAsync(file, image.FileLength, format, _options, async, cancellationToken).ConfigureAwait(false);
        return image.Header;
    }

    /// <summary>Opens the backing file of the last image, which was found by its magic alone if <paramref name="probed"/>.</summary>
    private HostFile OpenBackingFile(FollowPolicy policy, Qcow2Header header, bool probed)
    {
        NamedFile named = new(
            NamedFileKind.BackingFile, header.BackingFile!, header.BackingFormat, _images[^1].File.Path);
        return _images.Count < _options.MaxChainDepth
            ? Open(policy, named, header.BackingFileName.Span, probed)
            : throw Refuse(named, $"the chain would be deeper than the {_options.MaxChainDepth} layers of MaxChainDepth");
    }

    private void OpenDataFile(FollowPolicy policy, Qcow2Header header, bool probed)
    {
        OpenedImage image = _images[^1];
        if (_images.Count == 1 && _options.DataFile is { } given)
        {
            // The caller's own choice, like the top image's path.
            image.DataFile = PathHostFile.Open(given);
            return;
        }

        NamedFile named = new(NamedFileKind.DataFile, header.DataFile ?? "", "raw", image.File.Path);
        image.DataFile = header.DataFileName.IsEmpty
            ? throw Refuse(named, "the image does not name it (to name it: DataFile, or --data-file)")
            : Open(policy, named, header.DataFileName.Span, probed);
    }

    private HostFile Open(FollowPolicy policy, NamedFile named, ReadOnlySpan<byte> recordedName, bool probed)
    {
        // A guest can write a qcow2 header into its raw disk; where no format says that the disk is qcow2, that
        // header must not be what opens files of the host.
        if (probed && !policy.IsTrusted)
        {
            throw Refuse(
                named,
                "no format is recorded for the image that names it, and an image known only by its first bytes may not name files "
                + "(to allow it: record the format with 'qemu-img rebase -u -F', or Follow = FollowPolicy.Trusted, or --follow anywhere)");
        }

        HostFile file;
        try
        {
            file = FileGate.Open(policy, _images[^1].File, recordedName, named);
        }
        catch (RefusedException e)
        {
            throw Refuse(named, e.Message);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Refuse(named, "it does not exist", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refuse(named, $"it can't be opened: {PrintableText.Escape(e.Message)}", e);
        }

        if (_images.Any(i => Equals(i.File.Identity, file.Identity) || (i.DataFile is { } data && Equals(data.Identity, file.Identity))))
        {
            file.Dispose();
            throw Refuse(named, "the chain loops: that file is already part of it");
        }

        return file;
    }

    private BackingFileException Refuse(NamedFile named, string reason, Exception? cause = null)
    {
        IEnumerable<string> chain = _images.Select(i => PrintableText.Escape(i.File.Path ?? "(stream)"));
        string kind = named.Kind == NamedFileKind.DataFile ? "data file" : "backing file";
        string name = PrintableText.Escape(named.Name);
        return new BackingFileException(
            $"{kind} '{name}' is not opened: {reason}; the chain: {string.Join(" -> ", chain)} -> {name}",
            named.ImagePath,
            named.Name,
            cause);
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
                layers[depth] = new RawLayer(opened.File, opened.FileLength);
                continue;
            }

            decompressed.Expect(header.ClusterSize);
            Qcow2Image image = new(opened.File, opened.FileLength, opened.DataFile, header, _options.DamageHandler);
            Qcow2Snapshot? snapshot = depth == 0 && _options.Snapshot is { } wanted
                ? await SnapshotTable.FindAsync(image, wanted, _options, async, cancellationToken).ConfigureAwait(false)
                : null;
            LayerKey? key = header.EncryptionMethod == 0 ? null : new LayerKey(image, _options);
            layers[depth] = new Qcow2Layer(image, new Qcow2Disk(image, snapshot), decompressed, cacheBytes, key);
        }

        if (_options.Snapshot is { } name && layers[0].Header is null)
        {
            throw new Qcow2Exception($"there is no snapshot '{name}': the image is raw", _images[0].File.Path);
        }

        _images.Clear();
        return layers;
    }

    private sealed class OpenedImage(HostFile file)
    {
        public HostFile File { get; } = file;

        public long FileLength { get; set; }

        public Qcow2Header? Header { get; set; }

        public HostFile? DataFile { get; set; }
    }
}
