namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The numbers of trees and objects that have one from the format.</summary>
internal static class BtrfsObject
{
    /// <summary>What all devices are of, in the tree of chunks.</summary>
    public const ulong Devices = 1;

    public const ulong RootTree = 1;
    public const ulong ExtentTree = 2;
    public const ulong ChunkTree = 3;
    public const ulong TopLevel = 5;
    public const ulong ChecksumTree = 7;
    public const ulong BlockGroupTree = 11;

    /// <summary>The first number of a subvolume that was made, of an inode (a subvolume's root), and of all chunks.</summary>
    public const ulong First = 256;

    /// <summary>One past the last number of a subvolume: in the bits above, groups of quotas have their level.</summary>
    public const ulong End = 1ul << 48;

    public const ulong Checksums = unchecked((ulong)-10);

    /// <summary>Whether a number can be that of a subvolume, and so of its tree.</summary>
    public static bool IsSubvolume(ulong number) => number is TopLevel or (>= First and < End);
}
