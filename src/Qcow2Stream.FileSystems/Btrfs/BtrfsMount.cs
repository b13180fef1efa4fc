using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// A subvolume as a user sees it, with those that were made in it, and others in the place of directories where the guest mounts them. The same directory may
/// be seen in several mounts, and is not the same there.
/// </summary>
internal sealed class BtrfsMount(BtrfsVolume volume, BtrfsSubvolume root)
{
    // What is mounted on a directory, by subvolume and inode.
    private readonly Dictionary<(ulong Subvolume, ulong Inode), BtrfsMount> _mounts = [];

    public BtrfsVolume Volume => volume;

    public BtrfsSubvolume Subvolume => root;

    public BtrfsEntry Root => RootAs("");

    /// <summary>Shows another in the place of a directory.</summary>
    public void Add(BtrfsMount mount, BtrfsEntry directory) => _mounts[directory.Place] = mount;

    /// <summary>What a name in a directory stands for.</summary>
    public GuestEntry Child(BtrfsSubvolume subvolume, ulong directory, BtrfsName found)
    {
        string name = GuestText.FromBytes(found.Text);
        bool isSubvolume = found.Target.Type == BtrfsType.Root;
        BtrfsSubvolume? target = isSubvolume ? SubvolumeAt(subvolume, directory, found) : subvolume;
        if (target is null)
        {
            return new BtrfsLostSubvolume(volume.Options, name);
        }

        ulong inode = isSubvolume ? target.Root : found.Target.Object;
        return _mounts.TryGetValue((target.Number, inode), out BtrfsMount? mount)
            ? mount.RootAs(name)
            : new BtrfsEntry(this, target, name, inode);
    }

    private BtrfsEntry RootAs(string name) => new(this, root, name, root.Root);

    /// <summary>The subvolume that a name leads to: that one must know of it, for a snapshot has the names of others' subvolumes too.</summary>
    private BtrfsSubvolume? SubvolumeAt(BtrfsSubvolume subvolume, ulong directory, BtrfsName found)
    {
        BtrfsItem? reference = volume.RootTree.Find(new BtrfsKey(subvolume.Number, BtrfsType.RootReference, found.Target.Object));
        return reference is { } item
            && item.Text(BtrfsLayout.RootReference.NameLength, BtrfsLayout.RootReference.Name).SequenceEqual(found.Text)
            && BinaryPrimitives.ReadUInt64LittleEndian(item.Data.Span[BtrfsLayout.RootReference.Directory..]) == directory
            ? volume.Subvolume(found.Target.Object)
            : null;
    }
}
