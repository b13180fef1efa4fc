using System.Buffers.Binary;
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
    private const int SuperblockOffset = 1024;
    private const int SuperblockLength = 1024;
    private const int RootInode = 2;
    private const int MaxLogBlockSize = 6;
    private const int SmallDescriptorSize = 32;
    private const int LargeDescriptorSize = 64;
    private const int FirstInodeSize = 128;

    private const uint Journal = 0x4;
    private const uint Recover = 0x4;
    private const uint SixtyFourBit = 0x80;

    // File types in directories, a journal to replay, extents, 64 bits, protection against a second writer, flexible groups,
    // attributes in inodes, a seed for checksums, large directories, inline data, encryption, case-insensitive names.
    private const uint KnownFeatures =
        0x2 | Recover | 0x40 | SixtyFourBit | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000;

    private readonly FileSystemSource _volume;
    private readonly byte[] _superblock = new byte[SuperblockLength];
    private readonly int _inodeSize;
    private readonly int _descriptorSize;
    private readonly uint _inodesPerGroup;

    public ExtVolume(FileSystemSource volume)
    {
        _volume = volume;
        _volume.ReadExactly(SuperblockOffset, _superblock);
        uint unknown = Field(96) & ~KnownFeatures;
        int logBlockSize = (int)Math.Min(Field(24), int.MaxValue);
        if (unknown != 0 || logBlockSize > MaxLogBlockSize)
        {
            throw new GuestException(unknown != 0
                ? $"it has features that are not handled (incompatible features 0x{unknown:x})"
                : $"its block size is 2^{logBlockSize + 10}");
        }

        BlockSize = 1024 << logBlockSize;
        _inodesPerGroup = Field(40);
        _inodeSize = Field(76) == 0 ? FirstInodeSize : ShortField(88);
        _descriptorSize = (Field(96) & SixtyFourBit) == 0 ? SmallDescriptorSize : ShortField(254);
        if (_inodesPerGroup == 0 || _inodeSize < FirstInodeSize || _inodeSize > BlockSize
            || _descriptorSize < SmallDescriptorSize || _descriptorSize > BlockSize)
        {
            throw new GuestException("its superblock is damaged");
        }
    }

    public int BlockSize { get; }

    public GuestOptions Options => _volume.Options;

    /// <summary>How many blocks the volume has.</summary>
    public ulong BlockCount => (ulong)(_volume.Length / BlockSize);

    /// <summary>Whether the journal holds what the rest of the volume does not.</summary>
    public bool NeedsRecovery => (Field(96) & Recover) != 0;

    /// <summary>Whether there is a journal, here or elsewhere.</summary>
    public bool HasJournal => (Field(92) & Journal) != 0;

    /// <summary>The inode that is the journal; 0 if there is none here.</summary>
    public uint JournalInode => HasJournal ? Field(224) : 0;

    public string Label => GuestText.FromTerminated(_superblock.AsSpan(120, 16));

    public long TotalBytes => Blocks(4, 0x150);

    public long FreeBytes => Blocks(12, 0x158);

    public ExtInode Root => Inode(RootInode);

    /// <exception cref="GuestException">There is no such inode.</exception>
    public ExtInode Inode(uint number)
    {
        if (number == 0 || number > Field(0))
        {
            throw new GuestException($"it points to inode {number}, which does not exist");
        }

        (uint group, uint index) = Math.DivRem(number - 1, _inodesPerGroup);
        byte[] descriptor = new byte[_descriptorSize];
        _volume.ReadExactly(((Field(20) + 1L) * BlockSize) + ((long)group * _descriptorSize), descriptor);
        ulong table = BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(8));
        if (_descriptorSize >= LargeDescriptorSize)
        {
            table |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(0x28)) << 32;
        }

        byte[] inode = new byte[_inodeSize];
        _volume.ReadExactly(OffsetOf(table) + ((long)index * _inodeSize), inode);
        return new ExtInode(number, inode);
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

    private uint Field(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_superblock.AsSpan(offset));

    private int ShortField(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_superblock.AsSpan(offset));

    private long Blocks(int low, int high)
    {
        ulong blocks = Field(low) | ((Field(96) & SixtyFourBit) != 0 ? (ulong)Field(high) << 32 : 0);
        return (long)Math.Min(blocks, (ulong)(long.MaxValue / BlockSize)) * BlockSize;
    }
}
