using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>Opens Btrfs: which of its subvolumes is the root, and what is mounted in it, is chosen here.</summary>
internal sealed class BtrfsFileSystem
{
    /// <summary>What tools call it.</summary>
    public const string Kind = "Btrfs";

    // What is said of damage is for people.
    private const int MostNotices = 8;

    // Looking for what is mounted as the root comes to an end, however many subvolumes there are; a list of them has a size.
    private const long MostWork = 1 << 20;
    private const int MostListed = 100_000;

    private readonly BtrfsVolume _volume;
    private readonly BtrfsSubvolumes _subvolumes;
    private readonly BtrfsMount _root;
    private readonly IReadOnlyList<BtrfsMountLine> _table;
    private readonly List<string> _notices = [];
    private int _moreNotices;

    private BtrfsFileSystem(BtrfsVolume volume)
    {
        (_volume, _subvolumes) = (volume, new BtrfsSubvolumes(volume));
        if (volume.Superblock.HasLog)
        {
            _notices.Add("its log is not replayed, as the guest would do first: what it wrote last may be missing");
        }

        (_root, _table) = volume.Options.Subvolume is { } name ? Opened(_subvolumes.Named(name)) : FindRoot();
        BtrfsMountSearch search = new(volume, _subvolumes);
        foreach (BtrfsMountLine line in volume.Options.ShowMounts ? search.LinesOf(_table) : [])
        {
            Try<object>($"what is mounted on {ShortText.Of(line.Directory)}", () => Mount(line, search));
        }

        if (search.Cut is { } cut)
        {
            _notices.Add(cut);
        }
    }

    private string? Notice => _notices.Count == 0 ? null
        : string.Join("; ", _notices) + (_moreNotices > 0 ? $"; and {_moreNotices} more faults" : "");

    public static GuestFileSystem Open(FileSystemSource source, string kind)
    {
        BtrfsVolume volume = new(source);
        BtrfsFileSystem files = new(volume);
        return new GuestFileSystem(kind, source, reader: null, files._root.Root)
        {
            Label = volume.Superblock.Label,
            Usage = () => BtrfsUsage.Of(volume),
            Subvolumes = files.ListSubvolumes,
            Notice = files.Notice,
        };
    }

    private void Tell(string notice)
    {
        if (_notices.Count < MostNotices)
        {
            _notices.Add(notice);
        }
        else
        {
            _moreNotices++;
        }
    }

    private object? Mount(BtrfsMountLine line, BtrfsMountSearch search)
    {
        if (PathSearch.Find(_root.Root, line.Directory, CancellationToken.None) is BtrfsEntry { Kind: GuestEntryKind.Directory } directory
            && search.SubvolumeOf(line) is { } mounted)
        {
            directory.Cover(new BtrfsMount(_volume, mounted));
        }

        return null;
    }

    /// <summary>Damage in what the guest mounts is no reason not to read the rest.</summary>
    private T? Try<T>(string what, Func<T?> read)
        where T : class
    {
        try
        {
            return ReaderErrors.Call(read);
        }
        catch (IOException e)
        {
            Tell($"{what} can't be read: {e.Message}");
            return null;
        }
    }

    private (BtrfsMount Root, IReadOnlyList<BtrfsMountLine> Table) Opened(BtrfsSubvolume subvolume)
    {
        BtrfsMount mount = new(_volume, subvolume);
        return (mount, Try($"what subvolume {subvolume.Number} says of what is mounted", () => BtrfsMountTable.Of(mount)) ?? []);
    }

    /// <summary>
    /// What the guest mounts as its root: what the table in the default subvolume says, or what a table says of the subvolume that it is in (that in a
    /// snapshot of it says another), or the default subvolume.
    /// </summary>
    private (BtrfsMount Root, IReadOnlyList<BtrfsMountLine> Table) FindRoot()
    {
        BtrfsSubvolume preset = _subvolumes.Default;
        (BtrfsMount root, IReadOnlyList<BtrfsMountLine> table) = Opened(preset);
        if (table.Count > 0)
        {
            return RootIn(table) is { } named && named.Number != preset.Number ? Opened(named) : (root, table);
        }

        if (preset.Number == BtrfsObject.TopLevel)
        {
            long end = _volume.Work + MostWork;
            foreach (BtrfsSubvolume subvolume in _subvolumes.All().Where(each => each.Number != preset.Number))
            {
                if (_volume.Work > end)
                {
                    _notices.Add($"it has more subvolumes than were searched for what the guest mounts as its root: those from number {subvolume.Number} on were not");
                    break;
                }

                (BtrfsMount Root, IReadOnlyList<BtrfsMountLine> Table) opened = Opened(subvolume);
                if (RootIn(opened.Table)?.Number == subvolume.Number)
                {
                    return opened;
                }
            }
        }

        return (root, table);
    }

    private BtrfsSubvolume? RootIn(IReadOnlyList<BtrfsMountLine> table) =>
        Try(
            "what is mounted as the root",
            () => table.Where(line => line.IsRoot).Select(new BtrfsMountSearch(_volume, _subvolumes).SubvolumeOf).FirstOrDefault());

    private List<GuestSubvolume> ListSubvolumes()
    {
        Dictionary<ulong, string> places = new() { [_root.Subvolume.Number] = "/" };
        BtrfsMountSearch search = new(_volume, _subvolumes);
        foreach (BtrfsMountLine line in search.LinesOf(_table))
        {
            if (PlaceOf(line, search) is { } subvolume)
            {
                places.TryAdd(subvolume.Number, line.Directory);
            }
        }

        Func<ulong, BtrfsPath> paths = _subvolumes.Paths();
        List<GuestSubvolume> list = [];
        foreach (BtrfsSubvolume subvolume in _subvolumes.All())
        {
            if (list.Count == MostListed)
            {
                throw new GuestException($"it has more than {MostListed} subvolumes, too many for a list");
            }

            BtrfsPath path = PathOf(subvolume, paths);
            string? place = places.GetValueOrDefault(subvolume.Number);
            list.Add(new GuestSubvolume((long)subvolume.Number, path.Text, place, subvolume.IsReadOnly) { PathFault = path.Fault });
        }

        return list;
    }

    /// <summary>What a line means; where that can't be found it means nothing, as one that names what isn't there.</summary>
    private static BtrfsSubvolume? PlaceOf(BtrfsMountLine line, BtrfsMountSearch search)
    {
        try
        {
            return search.SubvolumeOf(line);
        }
        catch (GuestException)
        {
            return null;
        }
    }

    /// <summary>Damage on the way to one of them is no reason not to list the others.</summary>
    private static BtrfsPath PathOf(BtrfsSubvolume subvolume, Func<ulong, BtrfsPath> paths)
    {
        try
        {
            return paths(subvolume.Number);
        }
        catch (GuestException e)
        {
            return new BtrfsPath(null, e.Message);
        }
    }
}
