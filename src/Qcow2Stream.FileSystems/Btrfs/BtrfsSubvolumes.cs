using System.Buffers.Binary;
using System.Globalization;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The subvolumes and snapshots of a file system: which there are, where they are, and which of them a name means.</summary>
internal sealed class BtrfsSubvolumes(BtrfsVolume volume)
{
    private const int NamedInMessages = 20;

    // Four times what Linux lets a program say. Those of all together are what a list of them costs.
    private const int MostBytes = 16 << 10;
    private const int MostBytesOfAll = 4 << 20;

    private static ReadOnlySpan<byte> DefaultName => "default"u8;

    /// <summary>The one that is mounted if nothing else is said.</summary>
    public BtrfsSubvolume Default
    {
        get
        {
            ulong number = BtrfsName.Find(volume.RootTree, volume.Superblock.RootDirectory, DefaultName)?.Target.Object ?? BtrfsObject.TopLevel;
            return volume.Subvolume(number) ?? throw new GuestException($"its default subvolume ({number}) does not exist");
        }
    }

    private BtrfsSubvolume TopLevel => volume.Subvolume(BtrfsObject.TopLevel) ?? throw new GuestException("it has no top-level subvolume");

    /// <summary>All of them by their numbers, the top-level one first.</summary>
    public IEnumerable<BtrfsSubvolume> All()
    {
        if (volume.Subvolume(BtrfsObject.TopLevel) is { } top)
        {
            yield return top;
        }

        // Of several roots of one number the last counts.
        BtrfsItem? last = null;
        foreach (BtrfsItem item in volume.RootTree.Range(new BtrfsKey(BtrfsObject.First, 0, 0), new BtrfsKey(BtrfsObject.End - 1, byte.MaxValue, ulong.MaxValue)))
        {
            if (item.Key.Type != BtrfsType.Root)
            {
                continue;
            }

            if (last is { } before && before.Key.Object != item.Key.Object && volume.SubvolumeOf(before) is { } found)
            {
                yield return found;
            }

            last = item;
        }

        if (last is { } end && volume.SubvolumeOf(end) is { } final)
        {
            yield return final;
        }
    }

    /// <summary>The one that a path from the top-level one means, or a number.</summary>
    /// <exception cref="GuestException">There is none.</exception>
    public BtrfsSubvolume Named(string name) => At(name)
        ?? (ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? volume.Subvolume(number) : null)
        ?? throw new GuestException($"it has no subvolume '{ShortText.Of(name)}': there are {Some()}");

    /// <summary>The one that is at a path from the top-level one; null if there is none.</summary>
    public BtrfsSubvolume? At(string path) =>
        PathSearch.Find(new BtrfsMount(volume, TopLevel).Root, path, CancellationToken.None) is BtrfsEntry { Subvolume: { } found } ? found : null;

    /// <summary>Where subvolumes are. It is asked for one after the other, until all paths together are too long.</summary>
    public Func<ulong, BtrfsPath> Paths()
    {
        int left = MostBytesOfAll;
        return number => left <= 0 ? new BtrfsPath(null, "the paths of those before it are too long together") : PathOf(number, ref left);
    }

    /// <summary>Where a subvolume is, from the top-level one: names with slashes between them; empty for that one itself.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="left">How many bytes all paths may have that are still asked for.</param>
    private BtrfsPath PathOf(ulong number, ref int left)
    {
        // The last name first. Each takes a byte at least, so that circles come to an end.
        List<byte[]> names = [];
        int length = 0;
        ulong inner = number;
        string? fault = null;
        while (number != BtrfsObject.TopLevel && fault is null)
        {
            fault = FirstOf(volume.RootTree, number, BtrfsType.RootParent) is { } parent
                ? AddNames(number = parent.Key.Offset, parent, names, ref length)
                : $"subvolume {number} is nowhere";
        }

        left -= length;
        if (fault is not null)
        {
            return new BtrfsPath(null, length > MostBytes ? $"the path of subvolume {inner} has more than {MostBytes} bytes, or goes round in circles" : fault);
        }

        names.Reverse();
        return new BtrfsPath(string.Join('/', names.Select(name => GuestText.FromBytes(name))), null);
    }

    /// <summary>Adds the name of a subvolume, and those of the directories that it is in, up to the root of the subvolume that has these.</summary>
    /// <param name="number">The number of that one.</param>
    /// <param name="reference">What says in which directory it is, and its name.</param>
    /// <param name="names">The names, the last first.</param>
    /// <param name="length">How many bytes they have.</param>
    /// <returns>Null, or why it has no path.</returns>
    private string? AddNames(ulong number, BtrfsItem reference, List<byte[]> names, ref int length)
    {
        Add(names, ref length, reference.Text(BtrfsLayout.RootReference.NameLength, BtrfsLayout.RootReference.Name));
        if (volume.Subvolume(number) is not { } subvolume)
        {
            return $"subvolume {number}, in which it is, does not exist";
        }

        ulong directory = BinaryPrimitives.ReadUInt64LittleEndian(reference.Data.Span[BtrfsLayout.RootReference.Directory..]);
        while (directory != subvolume.Root && length <= MostBytes)
        {
            if (FirstOf(subvolume.Tree, directory, BtrfsType.InodeReference) is not { } name)
            {
                return $"inode {directory} of subvolume {number} is nowhere";
            }

            Add(names, ref length, name.Text(BtrfsLayout.InodeReference.NameLength, BtrfsLayout.InodeReference.Name));
            directory = name.Key.Offset;
        }

        return length > MostBytes ? "" : null;
    }

    private static void Add(List<byte[]> names, ref int length, ReadOnlySpan<byte> name)
    {
        names.Add(name.ToArray());
        length += name.Length + 1;
    }

    /// <summary>The first item of a type that an object has; null if there is none.</summary>
    private static BtrfsItem? FirstOf(BtrfsTree tree, ulong number, byte type)
    {
        foreach (BtrfsItem item in tree.ItemsOf(number, type))
        {
            return item;
        }

        return null;
    }

    /// <summary>The first few, for messages.</summary>
    private string Some()
    {
        Func<ulong, BtrfsPath> paths = Paths();
        return string.Join(", ", All().Take(NamedInMessages).Select(subvolume => $"{subvolume.Number} ({Describe(paths(subvolume.Number))})"));
    }

    private static string Describe(BtrfsPath path) => path.Text switch
    {
        null => "whose path is not known",
        "" => "the top level",
        var text => ShortText.Of(text),
    };
}
