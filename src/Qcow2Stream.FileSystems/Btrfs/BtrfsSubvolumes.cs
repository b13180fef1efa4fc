using System.Buffers.Binary;
using System.Globalization;
using Qcow2Stream.FileSystems.Entries;
using Shared;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The subvolumes and snapshots of a file system: which there are, where they are, and which of them a name means.</summary>
internal sealed class BtrfsSubvolumes(BtrfsVolume volume)
{
    private const int NamedInMessages = 20;
    private const int MaxDepth = 256;

    private static ReadOnlySpan<byte> DefaultName => "default"u8;

    /// <summary>The one that is mounted if nothing else is said.</summary>
    public BtrfsSubvolume Default
    {
        get
        {
            ulong number = volume.RootTree.ItemsOf(volume.Superblock.RootDirectory, BtrfsType.Name)
                .Select(BtrfsName.Read)
                .Where(name => name.Text.AsSpan().SequenceEqual(DefaultName))
                .Select(name => name.Target.Object)
                .FirstOrDefault(BtrfsObject.TopLevel);
            return volume.Subvolume(number) ?? throw new GuestException($"its default subvolume ({number}) does not exist");
        }
    }

    private BtrfsSubvolume TopLevel => volume.Subvolume(BtrfsObject.TopLevel) ?? throw new GuestException("it has no top-level subvolume");

    /// <summary>All of them by their numbers, the top-level one first.</summary>
    public IEnumerable<BtrfsSubvolume> All() => volume.RootTree
        .Range(new BtrfsKey(BtrfsObject.First, 0, 0), new BtrfsKey(BtrfsObject.End - 1, byte.MaxValue, ulong.MaxValue))
        .Where(item => item.Key.Type == BtrfsType.Root)
        .Select(item => item.Key.Object)
        .Prepend(BtrfsObject.TopLevel)
        .Distinct()
        .Select(volume.Subvolume)
        .OfType<BtrfsSubvolume>();

    /// <summary>The one that a path from the top-level one means, or a number.</summary>
    /// <exception cref="GuestException">There is none.</exception>
    public BtrfsSubvolume Named(string name) => At(name)
        ?? (ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? volume.Subvolume(number) : null)
        ?? throw new GuestException(
        $"it has no subvolume '{PrintableText.Escape(name)}': there are {string.Join(", ", All().Take(NamedInMessages).Select(Describe))}");

    /// <summary>The one that is at a path from the top-level one; null if there is none.</summary>
    public BtrfsSubvolume? At(string path) =>
        PathSearch.Find(new BtrfsMount(volume, TopLevel).Root, path, CancellationToken.None) is BtrfsEntry { Subvolume: { } found } ? found : null;

    /// <summary>Where a subvolume is, from the top-level one: names with slashes between them; empty for that one itself.</summary>
    /// <exception cref="GuestException">It is nowhere, or in itself.</exception>
    public string PathOf(ulong number)
    {
        string path = "";
        for (int depth = 0; number != BtrfsObject.TopLevel; depth++)
        {
            BtrfsItem[] parents = [.. volume.RootTree.ItemsOf(number, BtrfsType.RootParent).Take(1)];
            if (parents is not [var parent] || depth > MaxDepth)
            {
                throw new GuestException($"its subvolume {number} is nowhere");
            }

            string name = GuestText.FromBytes(parent.Text(BtrfsLayout.RootReference.NameLength, BtrfsLayout.RootReference.Name));
            ulong directory = BinaryPrimitives.ReadUInt64LittleEndian(parent.Data.Span[BtrfsLayout.RootReference.Directory..]);
            number = parent.Key.Offset;
            path = PathOf(number, directory) + name + (path.Length == 0 ? "" : "/" + path);
        }

        return path;
    }

    private static string Describe(BtrfsSubvolume subvolume, string path) =>
        $"{subvolume.Number} ({(path.Length == 0 ? "the top level" : PrintableText.Escape(path))})";

    private string Describe(BtrfsSubvolume subvolume) => Describe(subvolume, PathOf(subvolume.Number));

    /// <summary>Where a directory is in its subvolume: its path with a slash at its end; empty for the root.</summary>
    private string PathOf(ulong number, ulong directory)
    {
        BtrfsSubvolume subvolume = volume.Subvolume(number) ?? throw new GuestException($"its subvolume {number} does not exist");
        string path = "";
        for (int depth = 0; directory != subvolume.Root; depth++)
        {
            BtrfsItem[] names = [.. subvolume.Tree.ItemsOf(directory, BtrfsType.InodeReference).Take(1)];
            if (names is not [var name] || depth > MaxDepth)
            {
                throw new GuestException($"inode {directory} of its subvolume {number} is nowhere");
            }

            path = GuestText.FromBytes(name.Text(BtrfsLayout.InodeReference.NameLength, BtrfsLayout.InodeReference.Name)) + "/" + path;
            directory = name.Key.Offset;
        }

        return path;
    }
}
