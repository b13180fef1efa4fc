namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>
/// Where things are in the structures of Btrfs, in bytes from the start of each ("On-disk Format" in Btrfs' documentation; the Linux kernel's
/// btrfs_tree.h). All numbers are little-endian.
/// </summary>
internal static class BtrfsLayout
{
    /// <summary>The length of a UUID.</summary>
    public const int Uuid = 16;

    /// <summary>What a checksum takes in the superblock and in nodes, however long it is.</summary>
    public const int Checksum = 32;

    /// <summary>The superblock of a device: btrfs_super_block.</summary>
    public static class Superblock
    {
        public const int Place = 64 << 10;
        public const int Length = 4096;
        public const int FileSystem = 32;
        public const int Address = 48;
        public const int Magic = 64;
        public const int Generation = 72;
        public const int RootTree = 80;
        public const int ChunkTree = 88;
        public const int LogTree = 96;
        public const int RootDirectory = 128;
        public const int DeviceCount = 136;
        public const int SectorSize = 144;
        public const int NodeSize = 148;
        public const int ChunksLength = 160;
        public const int ChunkTreeGeneration = 164;
        public const int IncompatibleFeatures = 188;
        public const int ChecksumType = 196;
        public const int RootTreeLevel = 198;
        public const int ChunkTreeLevel = 199;
        public const int Device = 201;
        public const int Label = 299;
        public const int LabelLength = 256;
        public const int MetadataUuid = 571;
        public const int Chunks = 811;
        public const int MaxChunksLength = 2048;
    }

    /// <summary>What a device says of itself: btrfs_dev_item.</summary>
    public static class Device
    {
        public const int Id = 0;
        public const int TotalBytes = 8;
        public const int UsedBytes = 16;
        public const int Uuid = 66;
        public const int Length = 98;
    }

    /// <summary>A node of a tree: btrfs_header, then pointers (btrfs_key_ptr) or, in a leaf, items (btrfs_item).</summary>
    public static class Node
    {
        public const int FileSystem = 32;
        public const int Address = 48;
        public const int Flags = 56;
        public const int Generation = 80;
        public const int Owner = 88;
        public const int Count = 96;
        public const int Level = 100;
        public const int Header = 101;
        public const int PointerLength = 33;
        public const int PointerAddress = 17;
        public const int PointerGeneration = 25;
        public const int ItemLength = 25;
        public const int ItemOffset = 17;
        public const int ItemSize = 21;
        public const int MaxLevel = 7;
    }

    /// <summary>A key: btrfs_disk_key.</summary>
    public static class Key
    {
        public const int Object = 0;
        public const int Type = 8;
        public const int Offset = 9;
        public const int Length = 17;
    }

    /// <summary>A piece of the address space: btrfs_chunk, and the stripes after it, btrfs_stripe.</summary>
    public static class Chunk
    {
        public const int Length = 0;
        public const int StripeLength = 16;
        public const int Type = 24;
        public const int SectorSize = 40;
        public const int StripeCount = 44;
        public const int SubStripes = 46;
        public const int Stripes = 48;
        public const int StripeItem = 32;
        public const int StripeDevice = 0;
        public const int StripeOffset = 8;
        public const int StripeUuid = 16;
    }

    /// <summary>The root of a tree: btrfs_root_item.</summary>
    public static class Root
    {
        public const int Generation = 160;
        public const int Directory = 168;
        public const int Address = 176;
        public const int Flags = 208;
        public const int References = 216;
        public const int Level = 238;
        public const int OldLength = 239;
        public const int Length = 439;
    }

    /// <summary>Where a subvolume is in another: btrfs_root_ref, then its name.</summary>
    public static class RootReference
    {
        public const int Directory = 0;
        public const int NameLength = 16;
        public const int Name = 18;
    }

    /// <summary>An inode: btrfs_inode_item. Times are seconds in 64 bits, then nanoseconds in 32.</summary>
    public static class Inode
    {
        public const int Size = 16;
        public const int Links = 40;
        public const int UserId = 44;
        public const int GroupId = 48;
        public const int Mode = 52;
        public const int Flags = 64;
        public const int Modified = 136;
        public const int Nanoseconds = 8;
        public const int Length = 160;
    }

    /// <summary>A name in a directory: btrfs_dir_item, whose key is that of what it names, then the name.</summary>
    public static class Name
    {
        public const int DataLength = 25;
        public const int NameLength = 27;
        public const int Text = 30;
    }

    /// <summary>A name of an inode, by inode and parent: btrfs_inode_ref, then the name.</summary>
    public static class InodeReference
    {
        public const int NameLength = 8;
        public const int Name = 10;
    }

    /// <summary>An extent of a file: btrfs_file_extent_item.</summary>
    public static class Extent
    {
        public const int DecodedLength = 8;
        public const int Compression = 16;
        public const int Encryption = 17;
        public const int OtherEncoding = 18;
        public const int Type = 20;
        public const int Inline = 21;
        public const int Address = 21;
        public const int StoredLength = 29;
        public const int Skipped = 37;
        public const int Count = 45;
        public const int Length = 53;
    }

    /// <summary>A group of blocks: btrfs_block_group_item.</summary>
    public static class BlockGroup
    {
        public const int Used = 0;
        public const int Length = 24;
    }
}
