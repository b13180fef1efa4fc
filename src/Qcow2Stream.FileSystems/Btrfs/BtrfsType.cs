namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The types of keys that are read.</summary>
internal static class BtrfsType
{
    public const byte Inode = 1;
    public const byte InodeReference = 12;
    public const byte Name = 84;
    public const byte NameByIndex = 96;
    public const byte Extent = 108;
    public const byte Checksums = 128;
    public const byte Root = 132;
    public const byte RootParent = 144;
    public const byte RootReference = 156;
    public const byte BlockGroup = 192;
    public const byte Device = 216;
    public const byte Chunk = 228;
}
