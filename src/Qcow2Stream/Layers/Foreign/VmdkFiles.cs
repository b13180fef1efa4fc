using System.Text;
using DiscUtils;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// The files of a VMDK: descriptors, of the image and its parents, and extents, which are parts of disks. DiscUtils reads a file as what a descriptor calls
/// it, whatever it begins with; so it is judged as that ("Virtual Disk Format", the descriptor file).
/// </summary>
/// <param name="memory">Adds up what the tables of the files take.</param>
internal sealed class VmdkFiles(TableMemory memory)
{
    // DiscUtils reads 20 KiB of it.
    private const int DescriptorLength = 64 << 10;

    private static readonly string[] OwnExtents = ["monolithicSparse", "streamOptimized"];

    private readonly Dictionary<string, bool> _isSparse = new(StringComparer.Ordinal);
    private bool? _opensSparse;
    private bool _areOpened;
    private bool _isServers;

    /// <summary>Learns how the extents are going to be read. Until then files are opened as descriptors.</summary>
    /// <param name="extents">Those of all layers. They are opened, and not read.</param>
    public void Learn(IEnumerable<VirtualDiskExtent> extents)
    {
        foreach (VirtualDiskExtent extent in extents)
        {
            _opensSparse = extent.IsSparse;
            try
            {
                CheckWhole(extent, extent.StoredSize);
            }
            catch (NamedFileException) when (extent.IsSparse)
            {
                // One of zeros has a name too, and no file. If it is another, its content can't be opened either.
            }
        }

        _areOpened = true;
    }

    /// <summary>Judges a file that is being opened.</summary>
    /// <returns>As <see cref="VmdkTables.Judge"/>.</returns>
    /// <exception cref="Qcow2FormatException">It isn't what it is opened as, or is damaged.</exception>
    /// <exception cref="Qcow2UnsupportedException">Its tables take more memory than is allowed, or DiscUtils would misread it.</exception>
    public int? Judge(string path, HostFile file)
    {
        if (_areOpened)
        {
            bool isKnown = _isSparse.TryGetValue(path, out bool isSparse);
            return isSparse ? VmdkTables.Judge(file, memory, _isServers)
                : isKnown ? null
                : throw new Qcow2FormatException("a file is read that the image did not name before", file.Path);
        }

        if (_opensSparse is not { } sparse)
        {
            return JudgeDescriptor(file);
        }

        if (!_isSparse.TryAdd(path, sparse) && _isSparse[path] != sparse)
        {
            throw new Qcow2FormatException("the image names a file as two kinds of extent", file.Path);
        }

        return null;
    }

    private int? JudgeDescriptor(HostFile file)
    {
        bool isHosted = VmdkTables.IsHosted(file);
        byte[] start = new byte[DescriptorLength];
        int length = file.ReadAt(isHosted ? VmdkTables.DescriptorOffsetOf(file) : 0, start);

        // As DiscUtils divides it. Its first line of a key counts; here, any does.
        string[] lines = [.. Encoding.UTF8.GetString(start, 0, length).Split('\r', '\n', '\0').Select(line => line.Trim())];
        _isServers |= lines.Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, "VMFSSPARSE", ..]);

        // Of some kinds, the file of the descriptor is the extent.
        return isHosted || lines.Any(line => line.StartsWith("createType", StringComparison.Ordinal) && OwnExtents.Any(kind => line.Contains(kind, StringComparison.Ordinal)))
            ? VmdkTables.Judge(file, memory, isServer: false)
            : null;
    }

    /// <summary>An extent that is a part of its file isn't known as one to DiscUtils, which would put its bytes elsewhere.</summary>
    private static void CheckWhole(VirtualDiskExtent extent, long storedSize)
    {
        if (!extent.IsSparse && storedSize != extent.Capacity)
        {
            throw new NotSupportedException(
                $"an extent of {extent.Capacity} bytes is kept in a file of {storedSize}: extents that are parts of a file are not handled");
        }
    }
}
