namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>A subvolume or a snapshot: a tree of inodes, names and extents of its own.</summary>
/// <param name="Number">Its number, which is that of its tree.</param>
/// <param name="Tree">The tree.</param>
/// <param name="Root">The inode of its root.</param>
/// <param name="IsReadOnly">Whether the guest can't write to it.</param>
internal sealed record BtrfsSubvolume(ulong Number, BtrfsTree Tree, ulong Root, bool IsReadOnly);
