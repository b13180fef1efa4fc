using System.Buffers.Binary;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A name in a directory.</summary>
/// <param name="Text">Its bytes.</param>
/// <param name="Target">What it names: an inode of the same subvolume, or the root of another.</param>
internal readonly record struct BtrfsName(byte[] Text, BtrfsKey Target)
{
    private const int MostBytes = 255;
    private const uint HashSeed = unchecked((uint)~1);

    /// <summary>The names of a directory, in the order in which they were made.</summary>
    public static IEnumerable<BtrfsName> AllOf(BtrfsSubvolume subvolume, ulong directory) =>
        subvolume.Tree.ItemsOf(directory, BtrfsType.NameByIndex).Select(Read);

    /// <summary>Finds a name of a directory by its hash; null if there is none.</summary>
    public static BtrfsName? Find(BtrfsTree tree, ulong directory, ReadOnlySpan<byte> text)
    {
        BtrfsKey key = new(directory, BtrfsType.Name, Castagnoli.Add(HashSeed, text));
        if (text.Length > MostBytes || tree.Find(key) is not { } item)
        {
            return null;
        }

        // Names of one hash are in one item, one after the other.
        while (item.Data.Length > 0)
        {
            BtrfsName name = Read(item);
            if (name.Text.AsSpan().SequenceEqual(text))
            {
                return name;
            }

            item = item with { Data = item.Data[(BtrfsLayout.Name.Text + name.Text.Length)..] };
        }

        return null;
    }

    /// <summary>Reads the first name of an item.</summary>
    private static BtrfsName Read(BtrfsItem item)
    {
        ReadOnlySpan<byte> text = item.Text(BtrfsLayout.Name.NameLength, BtrfsLayout.Name.Text);
        BtrfsKey target = BtrfsKey.Read(item.Data.Span);
        return text.Length is 0 or > MostBytes
            || target.Type is not (BtrfsType.Inode or BtrfsType.Root)
            || BinaryPrimitives.ReadUInt16LittleEndian(item.Data.Span[BtrfsLayout.Name.DataLength..]) != 0
            ? throw new GuestException($"the directory is damaged: {(text.IsEmpty ? "a name is empty" : "a name is none")}")
            : new BtrfsName(text.ToArray(), target);
    }
}
