using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>An inode: everything that is kept of a file except its name ("On-disk Inode").</summary>
internal sealed class XfsInode
{
    public const ushort Magic = 0x494E;
    public const int FileMode = 8;
    public const int DirectoryMode = 4;

    /// <summary>Times are numbers of 64 bits.</summary>
    public const ulong BigTime = 1 << 3;

    private const int LinkMode = 10;
    private const ushort OnRealtimeDevice = 0x1;
    private const ulong LargeExtentCounts = 1 << 4;

    // Large times count from the earliest that a signed 32-bit number could express, December 1901.
    private static readonly DateTime BigTimeStart = DateTime.UnixEpoch.AddSeconds(int.MinValue);

    private readonly byte[] _bytes;

    /// <param name="volume">The volume.</param>
    /// <param name="number">Its number.</param>
    /// <param name="bytes">Its bytes on the volume.</param>
    /// <exception cref="GuestException">It is none, or damaged.</exception>
    public XfsInode(XfsVolume volume, ulong number, byte[] bytes)
    {
        (Number, _bytes) = (number, bytes);
        if (Short(0) != Magic || IsLarge != volume.IsChecked
            || (volume.IsChecked && (!XfsChecksum.IsRight(bytes, XfsLayout.Inode.Checksum) || Quad(XfsLayout.Inode.Number) != number)))
        {
            throw new GuestException($"inode {number} is damaged");
        }

        if (Short(XfsLayout.Inode.Mode) == 0)
        {
            throw new GuestException($"it points to inode {number}, which is not in use");
        }

        ulong extents = ExtentCount + AttributeExtentCount;
        ulong blocks = Quad(XfsLayout.Inode.BlockCount);
        if (extents > blocks || (extents == 0 && blocks != 0))
        {
            throw new GuestException($"inode {number} is damaged: it has {extents} extents in {blocks} blocks");
        }

        int start = IsLarge ? XfsLayout.Inode.CoreLength : XfsLayout.Inode.OldCoreLength;
        int end = bytes[XfsLayout.Inode.ForkOffset] is > 0 and var units ? start + (units * XfsLayout.Inode.ForkUnit) : bytes.Length;
        Fork = end <= bytes.Length ? bytes.AsMemory(start, end - start) : throw new GuestException($"inode {number} is damaged");
    }

    public ulong Number { get; }

    public GuestEntryKind Kind => (Short(XfsLayout.Inode.Mode) >> 12) switch
    {
        FileMode => GuestEntryKind.File,
        DirectoryMode => GuestEntryKind.Directory,
        LinkMode => GuestEntryKind.Link,
        _ => GuestEntryKind.Special,
    };

    public XfsForkFormat Format => (XfsForkFormat)_bytes[XfsLayout.Inode.Format];

    /// <summary>What lies in the inode of its content: the content, or where it is.</summary>
    public ReadOnlyMemory<byte> Fork { get; }

    public long Length => (long)Quad(XfsLayout.Inode.Size) is >= 0 and var length ? length : throw new GuestException("its size is damaged");

    /// <summary>How many extents its content has.</summary>
    public ulong ExtentCount => HasLargeCounts ? Quad(XfsLayout.Inode.LargeExtentCount) : Long(XfsLayout.Inode.ExtentCount);

    public uint Generation => Long(XfsLayout.Inode.Generation);

    public bool IsOnRealtimeDevice => (Short(XfsLayout.Inode.Flags) & OnRealtimeDevice) != 0;

    public GuestUnixMode Mode => new(
        (UnixFileMode)(Short(XfsLayout.Inode.Mode) & 0xFFF),
        Long(XfsLayout.Inode.UserId),
        Long(XfsLayout.Inode.GroupId),
        _bytes[XfsLayout.Inode.Version] == 1 ? Short(XfsLayout.Inode.OldLinks) : Long(XfsLayout.Inode.Links));

    public DateTime ModifiedUtc => IsLarge && (Quad(XfsLayout.Inode.Flags2) & BigTime) != 0
        ? BigTimeStart.AddTicks((long)(Quad(XfsLayout.Inode.Modified) / TimeSpan.NanosecondsPerTick))
        : DateTime.UnixEpoch
            .AddSeconds(unchecked((int)Long(XfsLayout.Inode.Modified)))
            .AddTicks(Long(XfsLayout.Inode.Modified + sizeof(uint)) / TimeSpan.NanosecondsPerTick);

    /// <summary>Whether it is of version 3, which those of version 5 of the file system are.</summary>
    private bool IsLarge => _bytes[XfsLayout.Inode.Version] >= 3;

    private bool HasLargeCounts => IsLarge && (Quad(XfsLayout.Inode.Flags2) & LargeExtentCounts) != 0;

    private ulong AttributeExtentCount => HasLargeCounts ? Long(XfsLayout.Inode.ExtentCount) : Short(XfsLayout.Inode.AttributeExtentCount);

    private ushort Short(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_bytes.AsSpan(offset));

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_bytes.AsSpan(offset));

    private ulong Quad(int offset) => BinaryPrimitives.ReadUInt64BigEndian(_bytes.AsSpan(offset));
}
