namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What of an inode was logged: XFS_ILOG_CORE and the like.</summary>
[Flags]
internal enum XfsLogInodeFields : uint
{
    None = 0,
    Core = 0x1,
    Data = 0x2,
    DataExtents = 0x4,
    DataRoot = 0x8,
    Device = 0x10,
    Attributes = 0x40,
    AttributeExtents = 0x80,
    AttributeRoot = 0x100,

    /// <summary>The tree of extents has come from another inode, whose number its blocks may still have.</summary>
    DataOwner = 0x200,
    DataFork = Data | DataExtents | DataRoot,
    AttributeFork = Attributes | AttributeExtents | AttributeRoot,
}
