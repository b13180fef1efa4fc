using DiscUtils;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// The files of a VMDK: descriptors, of the image and its parents, and extents, which are parts of disks. DiscUtils reads a file as what a descriptor calls
/// it, whatever it begins with; so it is judged as that ("Virtual Disk Format", the descriptor file).
/// </summary>
/// <param name="memory">Adds up what the tables of the files take.</param>
internal sealed class VmdkFiles(TableMemory memory)
{
    // Those of the image and its parents, in the order of the layers.
    private readonly List<VmdkDescriptor> _descriptors = [];

    private readonly Dictionary<string, Part> _parts = new(StringComparer.Ordinal);
    private Part? _opened;
    private bool _areOpened;

    /// <summary>
    /// Learns how the extents are going to be read. Until then files are opened as descriptors. DiscUtils names no place in a file, and makes paths of the
    /// names: so a path is known by what it is opened for.
    /// </summary>
    /// <param name="layers">The image and its parents. Their extents are opened, and not read.</param>
    /// <exception cref="Qcow2FormatException">An extent isn't what the descriptor says.</exception>
    /// <exception cref="Qcow2UnsupportedException">A file is named for several extents.</exception>
    public void Learn(IReadOnlyList<VirtualDiskLayer> layers)
    {
        Agree(layers.Count == _descriptors.Count);
        foreach ((VirtualDiskLayer layer, VmdkDescriptor descriptor) in layers.Zip(_descriptors))
        {
            Agree(layer.Extents.Count == descriptor.Extents.Count);
            foreach ((VirtualDiskExtent extent, VmdkExtent described) in layer.Extents.Zip(descriptor.Extents))
            {
                Agree(extent.Capacity == described.Sectors * Sector.Size && extent.IsSparse == (described.IsSparse || described.IsZero));
                if (!descriptor.IsOwnExtent && (described.IsSparse || described.IsFlat))
                {
                    _opened = new Part(described, ReferenceEquals(described, descriptor.Extents[^1]));
                    _ = extent.StoredSize;
                }
            }
        }

        _areOpened = true;
    }

    /// <summary>Judges a file that is being opened.</summary>
    /// <returns>What DiscUtils may see of it.</returns>
    /// <exception cref="Qcow2FormatException">It isn't what it is opened as, or is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">Its tables take more memory than is allowed, or DiscUtils would misread it.</exception>
    public FileView Judge(string path, HostFile file)
    {
        if (_areOpened)
        {
            return _parts.TryGetValue(path, out Part? part)
                ? JudgePart(part, file)
                : throw new Qcow2FormatException("a file is read that the image did not name before", file.Path);
        }

        if (_opened is not { } opened)
        {
            return JudgeDescriptor(file);
        }

        if (!_parts.TryAdd(path, opened))
        {
            throw _parts[path].Extent.IsSparse != opened.Extent.IsSparse
                ? new Qcow2FormatException("the image names a file as two kinds of extent", file.Path)
                : new Qcow2UnsupportedException("file of several extents", "the image keeps several extents in one file, which is not handled", file.Path);
        }

        return opened.Extent.IsFlat ? JudgePart(opened, file) : default;
    }

    private FileView JudgeDescriptor(HostFile file)
    {
        if (VmdkDescriptor.Read(file) is not { } descriptor)
        {
            return default;
        }

        _descriptors.Add(descriptor);
        return descriptor.IsOwnExtent ? JudgePart(new Part(descriptor.Extents[0] with { Type = "SPARSE" }, IsLast: true), file) : default;
    }

    private FileView JudgePart(Part part, HostFile file)
    {
        VmdkExtent extent = part.Extent;
        if (extent.IsSparse)
        {
            return new FileView { MostGrain = VmdkTables.Judge(file, memory, extent, part.IsLast) };
        }

        long length = file.GetLength();
        if (extent.Offset > (length / Sector.Size) || extent.Sectors * Sector.Size > length - (extent.Offset * Sector.Size))
        {
            throw new Qcow2FormatException(
                $"an extent of {extent.Sectors} sectors from sector {extent.Offset} on does not lie inside the file of {length} bytes", file.Path);
        }

        return new FileView { Start = extent.Offset * Sector.Size, Length = extent.Sectors * Sector.Size };
    }

    /// <summary>What is known of the extents was read here, and is of no use if DiscUtils has read something else.</summary>
    private static void Agree(bool isSame)
    {
        if (!isSame)
        {
            throw new NotSupportedException("it takes something else out of the descriptor than what was judged");
        }
    }

    /// <summary>An extent, and whether it is the last of its disk.</summary>
    private sealed record Part(VmdkExtent Extent, bool IsLast);
}
