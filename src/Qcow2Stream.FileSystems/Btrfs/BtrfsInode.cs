using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>An inode: everything that is kept of a file except its names and its content.</summary>
internal sealed class BtrfsInode
{
    private const ulong WithoutChecksums = 0x1;

    // No checksums, no copy on write, read-only, no compression, preallocated, synchronous, immutable, append-only, no dump, no times of access,
    // synchronous directory, compressed, initialized. In the upper half are those that whoever only reads may pass over.
    private const uint KnownFlags = 0x80000FFF;

    private readonly ReadOnlyMemory<byte> _bytes;

    /// <exception cref="GuestException">There is none of that number.</exception>
    public BtrfsInode(BtrfsSubvolume subvolume, ulong number)
    {
        Number = number;
        BtrfsItem item = subvolume.Tree.Find(new BtrfsKey(number, BtrfsType.Inode, 0))
            ?? throw new GuestException($"it points to inode {number}, which does not exist");
        _ = item.Exactly(BtrfsLayout.Inode.Length);
        _bytes = item.Data;
        if ((Long(BtrfsLayout.Inode.Flags) & ~KnownFlags) is not 0 and var unknown)
        {
            throw new GuestException($"inode {number} has flags that are not known (0x{unknown:x})");
        }
    }

    public ulong Number { get; }

    public GuestEntryKind Kind => (Long(BtrfsLayout.Inode.Mode) >> 12) switch
    {
        8 => GuestEntryKind.File,
        4 => GuestEntryKind.Directory,
        10 => GuestEntryKind.Link,
        _ => GuestEntryKind.Special,
    };

    public long Length => (long)Quad(BtrfsLayout.Inode.Size) is >= 0 and var length ? length : throw new GuestException("its size is damaged");

    public GuestUnixMode Mode => new(
        (UnixFileMode)(Long(BtrfsLayout.Inode.Mode) & 0xFFF),
        Long(BtrfsLayout.Inode.UserId),
        Long(BtrfsLayout.Inode.GroupId),
        Long(BtrfsLayout.Inode.Links));

    /// <exception cref="GuestException">It is beyond what can be expressed.</exception>
    public DateTime ModifiedUtc
    {
        get
        {
            long seconds = (long)Quad(BtrfsLayout.Inode.Modified);
            return seconds >= (DateTime.MinValue - DateTime.UnixEpoch).TotalSeconds && seconds < (DateTime.MaxValue - DateTime.UnixEpoch).TotalSeconds
                ? DateTime.UnixEpoch.AddSeconds(seconds).AddTicks(Math.Min(Long(BtrfsLayout.Inode.Modified + BtrfsLayout.Inode.Nanoseconds), 999_999_999) / TimeSpan.NanosecondsPerTick)
                : throw new GuestException("its time is damaged");
        }
    }

    /// <summary>Whether the content has checksums.</summary>
    public bool IsChecked => (Quad(BtrfsLayout.Inode.Flags) & WithoutChecksums) == 0;

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.Span[offset..]);

    private ulong Quad(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.Span[offset..]);
}
