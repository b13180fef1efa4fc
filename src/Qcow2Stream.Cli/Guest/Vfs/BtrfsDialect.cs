using DiscUtils.Vfs;

namespace Qcow2Stream.Cli.Guest.Vfs;

/// <summary>Btrfs: its reader finds the pieces of files, and they are read here.</summary>
internal sealed class BtrfsDialect(Stream volume) : VfsDialect
{
    private const int InlineType = 0;
    private const int RegularType = 1;

    public override Stream Open(VfsInternals tree, VfsDirEntry entry) =>
        new BtrfsContent(volume, tree.FileOf(entry).FileLength, tree.BtrfsItemsOf(entry).Select(Extent));

    private static BtrfsExtent Extent(VfsInternals.BtrfsItem item)
    {
        bool isHole = item.Type != RegularType || item.Address == 0;
        return item.Type == InlineType
            ? new BtrfsExtent(item.FileOffset, item.DecodedSize, item.InlineData, null, item.InlineData!.Length, item.DecodedSize, 0, item.Compression)
            : new BtrfsExtent(
                item.FileOffset, item.LogicalSize, null, isHole ? null : item.MapToVolume(), item.StoredSize, item.DecodedSize, item.Skipped, item.Compression);
    }
}
