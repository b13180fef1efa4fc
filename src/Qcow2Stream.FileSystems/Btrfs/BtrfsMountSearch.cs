namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>Finds which subvolumes the lines of a table of mounts mean, each path once, and as many as can be found in bounded time.</summary>
internal sealed class BtrfsMountSearch(BtrfsVolume volume, BtrfsSubvolumes subvolumes)
{
    // A guest has a dozen. Links make each line cost as much as whoever wrote the table likes.
    private const int MostLines = 256;
    private const long MostWork = 2 << 20;

    private readonly long _end = volume.Work + MostWork;
    private readonly Dictionary<string, (BtrfsSubvolume? Subvolume, string? Fault)> _found = [];

    /// <summary>Why not all lines were looked at; null if they were.</summary>
    public string? Cut { get; private set; }

    /// <summary>The lines other than that of the root, as far as they are looked at.</summary>
    public IEnumerable<BtrfsMountLine> LinesOf(IReadOnlyList<BtrfsMountLine> table)
    {
        int count = 0;
        foreach (BtrfsMountLine line in table)
        {
            if (count == MostLines || volume.Work > _end)
            {
                Cut = $"only the first {count} of {table.Count} lines of its table of mounts were looked at";
                yield break;
            }

            count++;
            if (!line.IsRoot)
            {
                yield return line;
            }
        }
    }

    /// <summary>The subvolume that a line mounts; null if there is none.</summary>
    /// <exception cref="GuestException">What leads to it is damaged.</exception>
    public BtrfsSubvolume? SubvolumeOf(BtrfsMountLine line)
    {
        if (line.Subvolume is not { } path)
        {
            return line.Number is { } number ? volume.Subvolume(number) : subvolumes.Default;
        }

        if (!_found.TryGetValue(path, out (BtrfsSubvolume? Subvolume, string? Fault) found))
        {
            _found[path] = found = Find(path);
        }

        return found.Fault is null ? found.Subvolume : throw new GuestException(found.Fault);
    }

    private (BtrfsSubvolume? Subvolume, string? Fault) Find(string path)
    {
        try
        {
            return (subvolumes.At(path), null);
        }
        catch (GuestException e)
        {
            return (null, e.Message);
        }
    }
}
