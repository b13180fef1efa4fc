using Qcow2Stream.FileSystems.Blocks;
using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>Opens Btrfs: which of its subvolumes is the root, and what is mounted in it, is chosen here.</summary>
internal sealed class BtrfsFileSystem
{
    /// <summary>What tools call it.</summary>
    public const string Kind = "Btrfs";

    private readonly BtrfsVolume _volume;
    private readonly BtrfsSubvolumes _subvolumes;
    private readonly BtrfsMount _root;
    private readonly IReadOnlyList<BtrfsMountLine> _table;
    private readonly List<string> _notices = [];

    private BtrfsFileSystem(BtrfsVolume volume)
    {
        (_volume, _subvolumes) = (volume, new BtrfsSubvolumes(volume));
        if (volume.Superblock.HasLog)
        {
            _notices.Add("its log is not replayed, as the guest would do first: what it wrote last may be missing");
        }

        (_root, _table) = volume.Options.Subvolume is { } name ? Opened(_subvolumes.Named(name)) : FindRoot();
        foreach (BtrfsMountLine line in volume.Options.ShowMounts ? _table.Where(line => !line.IsRoot) : [])
        {
            Try<object>($"what is mounted on {PrintableText.Escape(line.Directory)}", () => Mount(line));
        }
    }

    public static GuestFileSystem Open(FileSystemSource source, string kind)
    {
        BtrfsVolume volume = new(source);
        BtrfsFileSystem files = new(volume);
        return new GuestFileSystem(kind, source, reader: null, files._root.Root)
        {
            Label = volume.Superblock.Label,
            Usage = () => BtrfsUsage.Of(volume),
            Subvolumes = files.ListSubvolumes,
            Notice = files._notices.Count > 0 ? string.Join("; ", files._notices) : null,
        };
    }

    private object? Mount(BtrfsMountLine line)
    {
        if (PathSearch.Find(_root.Root, line.Directory, CancellationToken.None) is BtrfsEntry { Kind: GuestEntryKind.Directory } directory
            && SubvolumeOf(line) is { } mounted)
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
            _notices.Add($"{what} can't be read: {e.Message}");
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
            return RootIn(table) is { } named && named != preset ? Opened(named) : (root, table);
        }

        if (preset.Number == BtrfsObject.TopLevel)
        {
            foreach (BtrfsSubvolume subvolume in _subvolumes.All().Where(each => each != preset))
            {
                (BtrfsMount Root, IReadOnlyList<BtrfsMountLine> Table) opened = Opened(subvolume);
                if (RootIn(opened.Table) == subvolume)
                {
                    return opened;
                }
            }
        }

        return (root, table);
    }

    private BtrfsSubvolume? RootIn(IReadOnlyList<BtrfsMountLine> table) =>
        Try("what is mounted as the root", () => table.Where(line => line.IsRoot).Select(SubvolumeOf).FirstOrDefault());

    private BtrfsSubvolume? SubvolumeOf(BtrfsMountLine line) =>
        line.Subvolume is { } path ? _subvolumes.At(path)
        : line.Number is { } number ? _volume.Subvolume(number)
        : _subvolumes.Default;

    private IReadOnlyList<GuestSubvolume> ListSubvolumes()
    {
        Dictionary<ulong, string> places = new() { [_root.Subvolume.Number] = "/" };
        foreach (BtrfsMountLine line in _table.Where(line => !line.IsRoot))
        {
            if (SubvolumeOf(line) is { } subvolume)
            {
                places.TryAdd(subvolume.Number, line.Directory);
            }
        }

        return [.. _subvolumes.All().Select(each => new GuestSubvolume(
            (long)each.Number, _subvolumes.PathOf(each.Number), places.GetValueOrDefault(each.Number), each.IsReadOnly))];
    }
}
