using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>An inode: everything that is kept of a file except its name.</summary>
/// <param name="number">Its number.</param>
/// <param name="bytes">Its bytes on the volume.</param>
/// <param name="superblock">The volume's superblock.</param>
internal sealed class ExtInode(uint number, byte[] bytes, ExtSuperblock superblock)
{
    public uint Number { get; } = number;

    public GuestEntryKind Kind => (Short(ExtLayout.Inode.Mode) >> 12) switch
    {
        8 => GuestEntryKind.File,
        4 => GuestEntryKind.Directory,
        10 => GuestEntryKind.Link,
        _ => GuestEntryKind.Special,
    };

    /// <summary>What the checksums of blocks go on from that map the file, or have a directory's names; null if there are none.</summary>
    public uint? ChecksumSeed => superblock.ChecksumSeed is { } seed ? ExtChecksum.SeedOf(seed, Number, bytes) : null;

    /// <summary>Whether its own checksum is right, if it has one.</summary>
    public bool HasRightChecksum => !superblock.HasInodeChecksums || ExtChecksum.IsRightInode(ChecksumSeed!.Value, bytes);

    /// <summary>Whether it is of a file that has a name: one that was deleted has what it was left with, and its blocks may be another's.</summary>
    public bool IsUsed => Short(ExtLayout.Inode.Mode) != 0 && Short(ExtLayout.Inode.Links) != 0;

    /// <summary>In bytes. What has its high half in files was another field in directories, and is so still where there are no large ones.</summary>
    public long Length => (long)(Long(ExtLayout.Inode.Size)
            | (Kind == GuestEntryKind.File || superblock.HasLargeDirectories ? (ulong)Long(ExtLayout.Inode.SizeHigh) << 32 : 0)) is >= 0 and var length
        ? length
        : throw new GuestException("its size is damaged");

    public GuestUnixMode Mode => new(
        (UnixFileMode)(Short(ExtLayout.Inode.Mode) & 0xFFF),
        (uint)(Short(ExtLayout.Inode.UserId) | (Short(ExtLayout.Inode.UserIdHigh) << 16)),
        (uint)(Short(ExtLayout.Inode.GroupId) | (Short(ExtLayout.Inode.GroupIdHigh) << 16)),
        (uint)Short(ExtLayout.Inode.Links));

    /// <summary>Seconds since 1970 in 32 bits with sign; two more bits for later centuries where the inode has room.</summary>
    public DateTime ModifiedUtc
    {
        get
        {
            long seconds = unchecked((int)Long(ExtLayout.Inode.Modified));
            uint extra = HasExtra(ExtLayout.Inode.ModifiedExtra) ? Long(ExtLayout.Inode.ModifiedExtra) : 0;
            return DateTime.UnixEpoch.AddSeconds(seconds + ((long)(extra & 3) << 32)).AddTicks((extra >> 2) / 100);
        }
    }

    public bool HasExtents => HasFlag(ExtLayout.Inode.HasExtents);

    public bool IsEncrypted => HasFlag(ExtLayout.Inode.IsEncrypted);

    public bool IsInline => HasFlag(ExtLayout.Inode.IsInline);

    /// <summary>The root of the map from the file's blocks to the volume's; a short link's target; the start of inline data.</summary>
    public ReadOnlySpan<byte> Map => bytes.AsSpan(ExtLayout.Inode.Map, ExtLayout.Inode.MapLength);

    /// <summary>A link whose target is stored in place of the map: it has no blocks, but that of its attributes.</summary>
    public bool IsShortLink => Kind == GuestEntryKind.Link && !IsInline && Sectors == (HasAttributes ? superblock.ClusterSectors : 0);

    private bool HasAttributes => Long(ExtLayout.Inode.Attributes) != 0 || Short(ExtLayout.Inode.AttributesHigh) != 0;

    private ulong Sectors => Long(ExtLayout.Inode.Sectors) | ((ulong)Short(ExtLayout.Inode.SectorsHigh) << 32);

    /// <summary>Content that is kept in the inode: the map's bytes, then the attribute system.data.</summary>
    public byte[] InlineData
    {
        get
        {
            byte[] data = [.. Map, .. InlineAttribute()];
            return data.Length >= Length ? data : throw new GuestException("its inline data is damaged");
        }
    }

    private ReadOnlySpan<byte> InlineAttribute()
    {
        if (!HasExtra(ExtLayout.Inode.ExtraLength))
        {
            return default;
        }

        int start = ExtLayout.Inode.BaseLength + Short(ExtLayout.Inode.ExtraLength);
        if (start > bytes.Length - sizeof(uint) || Long(start) != ExtLayout.Attribute.Magic)
        {
            return default;
        }

        int first = start + sizeof(uint);
        for (int at = first; at <= bytes.Length - ExtLayout.Attribute.Length && Long(at) != 0;)
        {
            int nameLength = bytes[at];
            if (bytes[at + ExtLayout.Attribute.NameIndex] == ExtLayout.Attribute.System && nameLength == 4
                && bytes.AsSpan(at + ExtLayout.Attribute.Length).StartsWith("data"u8))
            {
                int offset = first + Short(at + ExtLayout.Attribute.ValueOffset);
                long length = Long(at + ExtLayout.Attribute.ValueLength);
                return offset + length <= bytes.Length ? bytes.AsSpan(offset, (int)length) : default;
            }

            at += (ExtLayout.Attribute.Length + nameLength + 3) & ~3;
        }

        return default;
    }

    private bool HasFlag(uint flag) => (Long(ExtLayout.Inode.Flags) & flag) != 0;

    /// <summary>Whether the inode is larger than the first ones were, and says that it uses the field there.</summary>
    private bool HasExtra(int offset) => bytes.Length >= ExtLayout.Inode.BaseLength + 4 && bytes.Length >= offset + 4
        && ExtLayout.Inode.BaseLength + Short(ExtLayout.Inode.ExtraLength) >= offset + 4;

    private int Short(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));
}
