using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>An open VMDK: what its descriptor says, and its extents, whose files it owns; not the image's own file.</summary>
internal sealed class VmdkImage : IDisposable
{
    private const int EndBuffer = 64 << 10;

    private readonly HostFile _file;
    private readonly VmdkDescriptor _descriptor;
    private readonly List<TableFile> _files = [];
    private readonly List<VmdkPart> _parts = [];

    private VmdkImage(HostFile file, VmdkDescriptor descriptor)
    {
        _file = file;
        _descriptor = descriptor;
        Backing = descriptor.ParentName.IsEmpty ? null : new BackingReference(descriptor.ParentName, FormatNames.Vmdk);
    }

    /// <summary>The parent; null if there is none.</summary>
    public BackingReference? Backing { get; }

    /// <summary>The size of the largest grain that is decompressed as a whole, in bytes; 0 if none is.</summary>
    public int LargestCompressedGrain => _parts.Max(p => p.Header is { IsCompressed: true } header ? (int)header.GrainLength : 0);

    /// <summary>Opens an image.</summary>
    /// <param name="file">The image; it stays its caller's.</param>
    /// <param name="openPart">Opens a file that the image names, by the bytes of that name, or refuses to.</param>
    /// <exception cref="Qcow2FormatException">The image is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">The image uses something that is not handled.</exception>
    /// <exception cref="NamedFileException">A file that it names was refused.</exception>
    public static VmdkImage Open(HostFile file, Func<ReadOnlyMemory<byte>, HostFile> openPart)
    {
        (long place, long length, bool isOwnExtent) = (0, file.GetLength(), false);
        Span<byte> start = stackalloc byte[Sector.Size];
        int read = file.ReadAt(0, start);
        if (start.StartsWith(VmdkLayout.ServerMagic))
        {
            throw new Qcow2UnsupportedException(
                "extent without descriptor in format vmdk",
                "the file is an extent of a server's disk, and not the disk's descriptor, which names its extents",
                file.Path);
        }

        if (read == start.Length && start.StartsWith(VmdkLayout.HostedMagic))
        {
            (place, length) = SparseHeader.DescriptorOf(file, start, out isOwnExtent);
        }

        VmdkDescriptor descriptor = VmdkDescriptor.Read(file, place, length);
        if (isOwnExtent && !descriptor.IsOwnExtent)
        {
            throw new Qcow2UnsupportedException(
                "disk type in format vmdk",
                $"the file is a sparse extent with data, and its descriptor says that the disk is of type '{descriptor.Kind}' and in other files",
                file.Path);
        }

        VmdkImage image = new(file, descriptor);
        try
        {
            foreach (ExtentLine extent in descriptor.Extents)
            {
                image.Add(extent, openPart);
            }

            image.CheckEnd();
        }
        catch
        {
            image.Dispose();
            throw;
        }

        return image;
    }

    /// <summary>The layer of a chain.</summary>
    /// <param name="decompressed">Keeps grains that were decompressed.</param>
    /// <param name="cacheBytes">The memory for tables.</param>
    public VmdkLayer ToLayer(DecompressedClusters decompressed, long cacheBytes) =>
        new(_file, this, Translator(_parts, cacheBytes), new VmdkGrains(decompressed));

    /// <summary>Refuses a parent that was written to after this image was made over it.</summary>
    /// <exception cref="Qcow2FormatException">Its content is not what this image was made over.</exception>
    public void CheckParent(VmdkImage parent)
    {
        if (parent._descriptor.ContentId != _descriptor.ParentContentId)
        {
            throw new Qcow2FormatException(
                $"the image was made over a parent whose CID was {_descriptor.ParentContentId:x8}, and that of "
                + $"'{PrintableText.Escape(Backing!.Text)}' is {parent._descriptor.ContentId:x8}: the parent was changed since",
                _file.Path);
        }
    }

    public void Dispose() => Disposal.OfAll(_files.Select(f => f.File).Where(f => !ReferenceEquals(f, _file)));

    private static VmdkTranslator Translator(IReadOnlyList<VmdkPart> parts, long cacheBytes) => new([.. parts], new GrainTables(parts, cacheBytes));

    private void Add(ExtentLine extent, Func<ReadOnlyMemory<byte>, HostFile> openPart)
    {
        long start = _parts.Count == 0 ? 0 : _parts[^1].End;
        long length = extent.Sectors * Sector.Size;
        if (extent.IsZero)
        {
            _parts.Add(new VmdkPart { Start = start, Length = length });
            return;
        }

        bool isLast = ReferenceEquals(extent, _descriptor.Extents[^1]);
        TableFile source = _descriptor.IsOwnExtent ? FileOf(_file) : FileOf(openPart(extent.NameBytes));
        SparseHeader? header = extent.IsSparse ? SparseHeader.Read(source.File, extent) : null;
        if (header is null)
        {
            CheckFlat(extent, source.File);
        }
        else
        {
            CheckSize(header, extent.Sectors, isLast, source.File);
        }

        long tables = _parts.Count == 0 ? 0 : _parts[^1].FirstTable + (_parts[^1].Header?.Tables ?? 0);
        _parts.Add(new VmdkPart
        {
            Start = start,
            Length = length,
            Source = source,
            Header = header,
            FlatOffset = header is null ? extent.Offset * Sector.Size : 0,
            FirstTable = tables,
            IsOwnFile = _descriptor.IsOwnExtent,
        });
    }

    /// <summary>A file that is named twice is opened once.</summary>
    private TableFile FileOf(HostFile file)
    {
        if (_files.Find(f => Equals(f.File.Identity, file.Identity)) is { } known)
        {
            file.Dispose();
            return known;
        }

        TableFile added = new(file, fileLength: 0, onDamage: null);
        _files.Add(added);
        return added;
    }

    private static void CheckFlat(ExtentLine extent, HostFile file)
    {
        long length = file.GetLength();
        if (extent.Offset > (length / Sector.Size) || extent.Sectors * Sector.Size > length - (extent.Offset * Sector.Size))
        {
            throw new Qcow2FormatException(
                $"an extent of {extent.Sectors} sectors from sector {extent.Offset} on does not lie inside the file of {length} bytes", file.Path);
        }
    }

    /// <summary>
    /// QEMU goes by the header's size, and others by the descriptor's. There are tools that round up the header's to whole grains, which moves nothing at the
    /// end of a disk (<see cref="CheckEnd"/> looks at what is kept there).
    /// </summary>
    private static void CheckSize(SparseHeader header, long sectors, bool isLast, HostFile file)
    {
        long rounded = (sectors + header.GrainSectors - 1) / header.GrainSectors * header.GrainSectors;
        if (header.Capacity != sectors && !(isLast && header.Capacity == rounded))
        {
            throw new Qcow2FormatException(
                $"the extent has {sectors} sectors by the descriptor, and {header.Capacity} by its header", file.Path, hostOffset: VmdkLayout.Capacity);
        }

        if (!isLast && rounded != sectors)
        {
            // The specification has whole grains. QEMU reads on in the last one, where the next extent begins.
            throw new Qcow2UnsupportedException(
                "part of a grain in format vmdk",
                $"an extent that is not the last one has {sectors} sectors, which are not whole grains of {header.GrainSectors}",
                file.Path,
                VmdkLayout.Capacity);
        }
    }

    /// <summary>
    /// The last extent may have more by its header than the disk has, up to a whole grain. For QEMU that belongs to the disk; so it has to be zeros, which are
    /// what follows the end of a disk.
    /// </summary>
    private void CheckEnd()
    {
        VmdkPart last = _parts[^1];
        if (last.Header is not { } header || header.Capacity * Sector.Size == last.Length)
        {
            return;
        }

        VmdkPart all = last with { Length = header.Capacity * Sector.Size };
        VmdkTranslator translator = Translator(_parts, cacheBytes: 0);
        VmdkGrains grains = new(new DecompressedClusters(maxBytes: 0));
        byte[] buffer = new byte[EndBuffer];
        VmdkPlace place;
        for (long offset = last.Length; offset < all.Length; offset += place.Length)
        {
            place = translator.FindAsync(all, offset, buffer.Length, async: false, default).Now();
            if (place.HostOffset < 0)
            {
                continue;
            }

            grains.Read(place, all.Start + offset, buffer.AsSpan(0, (int)place.Length));
            if (buffer.AsSpan(0, (int)place.Length).ContainsAnyExcept((byte)0))
            {
                throw new Qcow2FormatException(
                    $"the descriptor gives the disk {last.End} bytes, the tables {all.End}, and data is kept behind the end of the disk", _file.Path);
            }
        }
    }
}
