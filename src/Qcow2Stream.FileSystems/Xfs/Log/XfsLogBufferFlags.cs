namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>What a logged buffer is: XFS_BLF_INODE_BUF and the like.</summary>
[Flags]
internal enum XfsLogBufferFlags : ushort
{
    None = 0,

    /// <summary>It has inodes, of which the buffer's item says only which was unlinked after which.</summary>
    Inodes = 0x1,

    /// <summary>It was freed: what was logged of it before is not written.</summary>
    Cancel = 0x2,
    UserQuota = 0x4,
    ProjectQuota = 0x8,
    GroupQuota = 0x10,
    Quota = UserQuota | ProjectQuota | GroupQuota,
}
