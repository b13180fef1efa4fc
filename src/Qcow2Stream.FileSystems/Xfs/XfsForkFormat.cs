namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>What a fork of an inode holds: xfs_dinode_fmt.</summary>
internal enum XfsForkFormat
{
    /// <summary>The number of a device.</summary>
    Device,

    /// <summary>The content itself: of a short directory, or a short link.</summary>
    Local,

    /// <summary>A list of extents.</summary>
    Extents,

    /// <summary>The root of a tree of extents.</summary>
    Tree,
}
