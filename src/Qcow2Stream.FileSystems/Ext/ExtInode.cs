using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>An inode: everything that is kept of a file except its name.</summary>
/// <param name="number">Its number.</param>
/// <param name="bytes">Its bytes on the volume.</param>
internal sealed class ExtInode(uint number, byte[] bytes)
{
    private const int MapOffset = 40;
    private const int MapLength = 60;
    private const int BaseLength = 128;
    private const int ExtraTimeOffset = 136;

    private const uint EncryptedFlag = 0x800;
    private const uint ExtentsFlag = 0x80000;
    private const uint InlineDataFlag = 0x10000000;

    // Directories and links may keep what fits into the inode there, and a name of an attribute for what does not.
    private const uint AttributeMagic = 0xEA020000;
    private const int AttributeEntryLength = 16;
    private const byte SystemAttribute = 7;

    public uint Number { get; } = number;

    public GuestEntryKind Kind => (Short(0) >> 12) switch
    {
        8 => GuestEntryKind.File,
        4 => GuestEntryKind.Directory,
        10 => GuestEntryKind.Link,
        _ => GuestEntryKind.Special,
    };

    public long Length => (long)(Long(4) | ((ulong)Long(108) << 32)) is >= 0 and var length
        ? length
        : throw new GuestException("its size is damaged");

    public GuestUnixMode Mode => new(
        (UnixFileMode)(Short(0) & 0xFFF), (uint)(Short(2) | (Short(120) << 16)), (uint)(Short(24) | (Short(122) << 16)), (uint)Short(26));

    /// <summary>Seconds since 1970 in 32 bits with sign; two more bits for later centuries where the inode has room.</summary>
    public DateTime ModifiedUtc
    {
        get
        {
            long seconds = unchecked((int)Long(16));
            uint extra = HasExtra(ExtraTimeOffset) ? Long(ExtraTimeOffset) : 0;
            return DateTime.UnixEpoch.AddSeconds(seconds + ((long)(extra & 3) << 32)).AddTicks((extra >> 2) / 100);
        }
    }

    public bool HasExtents => (Long(32) & ExtentsFlag) != 0;

    public bool IsEncrypted => (Long(32) & EncryptedFlag) != 0;

    public bool IsInline => (Long(32) & InlineDataFlag) != 0;

    /// <summary>The root of the map from the file's blocks to the volume's; a short link's target; the start of inline data.</summary>
    public ReadOnlySpan<byte> Map => bytes.AsSpan(MapOffset, MapLength);

    /// <summary>A link whose target is stored in place of the map: it has no blocks.</summary>
    public bool IsShortLink => Kind == GuestEntryKind.Link && Length < MapLength && !HasExtents && !IsInline;

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
        if (!HasExtra(BaseLength))
        {
            return default;
        }

        int start = BaseLength + Short(BaseLength);
        if (start > bytes.Length - sizeof(uint) || Long(start) != AttributeMagic)
        {
            return default;
        }

        int first = start + sizeof(uint);
        for (int at = first; at <= bytes.Length - AttributeEntryLength && Long(at) != 0;)
        {
            int nameLength = bytes[at];
            if (bytes[at + 1] == SystemAttribute && bytes.AsSpan(at + AttributeEntryLength).StartsWith("data"u8) && nameLength == 4)
            {
                int offset = first + Short(at + 2);
                long length = Long(at + 8);
                return offset + length <= bytes.Length ? bytes.AsSpan(offset, (int)length) : default;
            }

            at += (AttributeEntryLength + nameLength + 3) & ~3;
        }

        return default;
    }

    /// <summary>Whether the inode is larger than the first ones were, and says that it uses the field there.</summary>
    private bool HasExtra(int offset) =>
        bytes.Length >= BaseLength + 4 && BaseLength + Short(BaseLength) >= offset + 4 && bytes.Length >= offset + 4;

    private int Short(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset));

    private uint Long(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));
}
