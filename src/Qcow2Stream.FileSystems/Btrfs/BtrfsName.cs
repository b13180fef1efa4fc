namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A name in a directory.</summary>
/// <param name="Text">Its bytes.</param>
/// <param name="Target">What it names: an inode of the same subvolume, or the root of another.</param>
internal readonly record struct BtrfsName(byte[] Text, BtrfsKey Target)
{
    /// <summary>The names of a directory, in the order in which they were made.</summary>
    public static IEnumerable<BtrfsName> AllOf(BtrfsSubvolume subvolume, ulong directory) =>
        subvolume.Tree.ItemsOf(directory, BtrfsType.NameByIndex).Select(Read);

    /// <summary>Reads the first name of an item; there are more where hashes of names are the same.</summary>
    public static BtrfsName Read(BtrfsItem item) =>
        item.Text(BtrfsLayout.Name.NameLength, BtrfsLayout.Name.Text) is { Length: > 0 } text
            ? new BtrfsName(text.ToArray(), BtrfsKey.Read(item.Data.Span))
            : throw new GuestException("the directory is damaged: a name is empty");
}
