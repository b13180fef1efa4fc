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
    private readonly List<(HostFile File, Qcow2Header? Header, long FileLength)> _images = [];

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
            if (policy is null || header is null || header.BackingFileName.IsEmpty)
            {
                return opener.BuildLayers();
            }

            file = opener.OpenBackingFile(policy, header, probed);
            format = header.BackingFormat;
        }
    }

    /// <summary>Closes what was opened, unless <see cref="BuildLayers"/> has handed it on.</summary>
    public void Dispose()
    {
        foreach ((HostFile file, _, _) in _images)
        {
            file.Dispose();
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
        int index = _images.Count;
        _images.Add((file, null, 0));
        long fileLength = file.GetLength();
        Qcow2Header? header = await ReadHeaderAsync(file, fileLength, format, _options, async, cancellationToken).ConfigureAwait(false);
        _images[index] = (file, header, fileLength);
        return header;
    }

    /// <summary>Opens the backing file of the last image, which was found by its magic alone if <paramref name="probed"/>.</summary>
    private HostFile OpenBackingFile(FollowPolicy policy, Qcow2Header header, bool probed)
    {
        HostFile image = _images[^1].File;
        NamedFile named = new(header.BackingFile!, header.BackingFormat, image.Path);
        if (_images.Count == _options.MaxChainDepth)
        {
            throw Refuse(named, $"the chain would be deeper than the {_options.MaxChainDepth} layers of MaxChainDepth");
        }

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
            file = FileGate.Open(policy, image, header.BackingFileName.Span, named);
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

        if (_images.Any(i => Equals(i.File.Identity, file.Identity)))
        {
            file.Dispose();
            throw Refuse(named, "the chain loops: that file is already one of its layers");
        }

        return file;
    }

    private BackingFileException Refuse(NamedFile named, string reason, Exception? cause = null)
    {
        IEnumerable<string> chain = _images.Select(i => PrintableText.Escape(i.File.Path ?? "(stream)"));
        string name = PrintableText.Escape(named.Name);
        return new BackingFileException(
            $"backing file '{name}' is not opened: {reason}; the chain: {string.Join(" -> ", chain)} -> {name}",
            named.ImagePath,
            named.Name,
            cause);
    }

    private Layer[] BuildLayers()
    {
        DecompressedClusters decompressed = new(_options.DecompressedCacheBytes);
        long cacheBytes = Math.Min(_options.LayerCacheBytes, _options.MetadataCacheBytes / _images.Count);
        Layer[] layers = new Layer[_images.Count];
        for (int depth = 0; depth < layers.Length; depth++)
        {
            (HostFile file, Qcow2Header? header, long fileLength) = _images[depth];
            if (header is null)
            {
                layers[depth] = new RawLayer(file, fileLength);
                continue;
            }

            decompressed.Expect(header.ClusterSize);
            Qcow2Translator translator = new(file, header, fileLength, cacheBytes);
            layers[depth] = new Qcow2Layer(file, header, translator, decompressed);
        }

        _images.Clear();
        return layers;
    }
}
