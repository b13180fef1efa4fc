using DiscUtils.Vfs;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.DiscUtilsReaders;

/// <summary>Btrfs: its reader finds the pieces of files, and they are read here.</summary>
internal sealed class BtrfsDialect : VfsDialect
{
    private const int InlineType = 0;
    private const int RegularType = 1;

    /// <summary>The reader finds no inode of a subvolume, and takes the present for its time.</summary>
    public override DateTime ModifiedUtcOf(VfsInternals tree, VfsDirEntry entry) =>
        ModeOf(tree, entry) is null ? DateTime.UnixEpoch : base.ModifiedUtcOf(tree, entry);

    /// <summary>A subvolume's own root has the same number in each; the reader's cache takes others for one another too.</summary>
    public override object IdentityOf(VfsDirEntry entry) => VfsInternals.BtrfsInodeOf(entry);

    public override FileContent Open(VfsInternals tree, VfsDirEntry entry, long length) =>
        new BtrfsContent(tree.Volume, length, tree.BtrfsItemsOf(entry).Select(Extent));

    private static BtrfsExtent Extent(VfsInternals.BtrfsItem item)
    {
        bool isHole = item.Type != RegularType || item.Address == 0;
        return item.Type == InlineType
            ? new BtrfsExtent(item.FileOffset, item.DecodedSize, item.InlineData, null, item.InlineData!.Length, item.DecodedSize, 0, item.Compression)
            : new BtrfsExtent(
                item.FileOffset, item.LogicalSize, null, isHole ? null : item.MapToVolume(), item.StoredSize, item.DecodedSize, item.Skipped, item.Compression);
    }
}
