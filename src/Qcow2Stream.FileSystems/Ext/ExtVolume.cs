using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>
/// An ext2, ext3 or ext4 file system: its superblock, group descriptors and inodes ("ext4 Data Structures and
/// Algorithms" in the Linux kernel's documentation).
/// </summary>
/// <remarks>
/// DiscUtils has a reader of these too. On real disks it gives wrong bytes: it reads other files' blocks where a sparse
/// file has a hole after data, ends files after 4 GiB, and changes names that hold a backslash, as systemd's do.
/// </remarks>
internal sealed class ExtVolume
{
    private const int RootInode = 2;

    private readonly FileSystemSource _volume;
    private readonly ExtGroups _groups;

    public ExtVolume(FileSystemSource volume)
    {
        byte[] superblock = new byte[ExtLayout.Superblock.Length];
        volume.ReadExactly(ExtLayout.Superblock.Offset, superblock);
        (_volume, Superblock) = (volume, new ExtSuperblock(superblock));
        _groups = new ExtGroups(this, Superblock);
    }

    public ExtSuperblock Superblock { get; }

    public int BlockSize => Superblock.BlockSize;

    public GuestOptions Options => _volume.Options;

    /// <summary>How many blocks the volume has.</summary>
    public ulong BlockCount => (ulong)(_volume.Length / BlockSize);

    public long TotalBytes => (long)Math.Min(Superblock.BlockCount, (ulong)(long.MaxValue / BlockSize)) * BlockSize;

    public long FreeBytes => Math.Min(_groups.CountFree(), long.MaxValue / BlockSize) * BlockSize;

    public ExtInode Root => Inode(RootInode);

    /// <exception cref="GuestException">There is no such inode.</exception>
    public ExtInode Inode(uint number)
    {
        if (number == 0 || number > Superblock.InodeCount)
        {
            throw new GuestException($"it points to inode {number}, which does not exist");
        }

        (uint group, uint index) = Math.DivRem(number - 1, Superblock.InodesPerGroup);
        byte[] bytes = new byte[Superblock.InodeSize];
        long offset = OffsetOf(_groups.InodeTable(group)) + ((long)index * Superblock.InodeSize);
        _volume.ReadExactly(offset, bytes);
        ExtInode inode = new(number, bytes, Superblock);

        // One that was never used is empty, without a checksum too.
        if (!inode.HasRightChecksum && bytes.ContainsAnyExcept((byte)0))
        {
            throw new GuestException($"inode {number} is damaged: the checksum is wrong, in block {offset / BlockSize}");
        }

        return inode.IsUsed ? inode : throw new GuestException($"it points to inode {number}, which is not in use");
    }

    /// <summary>Reads a block of the volume.</summary>
    public byte[] ReadBlock(ulong block)
    {
        byte[] content = new byte[BlockSize];
        _volume.ReadExactly(OffsetOf(block), content);
        return content;
    }

    /// <inheritdoc cref="FileSystemSource.StoredOf"/>
    /// <param name="firstBlock">The first of some blocks that follow each other.</param>
    /// <param name="skipped">Which of their bytes is the range's first.</param>
    /// <param name="length">Its length in bytes.</param>
    public IEnumerable<StreamExtent> StoredOf(ulong firstBlock, long skipped, long length) => _volume.StoredOf(OffsetOf(firstBlock) + skipped, length);

    /// <summary>Reads bytes that follow each other on the volume.</summary>
    public void ReadBlocks(ulong firstBlock, long offset, Span<byte> buffer) => _volume.ReadExactly(OffsetOf(firstBlock) + offset, buffer);

    private long OffsetOf(ulong block) => block <= (ulong)(_volume.Length / BlockSize)
        ? (long)block * BlockSize
        : throw new GuestException($"it points to block {block}, past the end of the volume");
}
