namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>
/// Where things are in the structures of XFS, in bytes from the start of each ("XFS Algorithms and Data Structures"). All numbers are big-endian, but checksums.
/// </summary>
internal static class XfsLayout
{
    /// <summary>The superblock: xfs_dsb.</summary>
    public static class Superblock
    {
        public const int Length = 512;
        public const int BlockSize = 4;
        public const int DataBlocks = 8;
        public const int Uuid = 32;
        public const int LogStart = 48;
        public const int RootInode = 56;
        public const int GroupBlocks = 84;
        public const int GroupCount = 88;
        public const int LogBlocks = 96;
        public const int Version = 100;
        public const int SectorSize = 102;
        public const int InodeSize = 104;
        public const int Label = 108;
        public const int LabelLength = 12;
        public const int LogInodesPerBlock = 123;
        public const int LogGroupBlocks = 124;
        public const int IsInProgress = 126;
        public const int FreeBlocks = 144;
        public const int InodeAlignment = 180;
        public const int LogDirectoryBlocks = 192;
        public const int Features2 = 200;
        public const int IncompatibleFeatures = 216;
        public const int LogFeatures = 220;
        public const int Checksum = 224;
        public const int Lsn = 240;
        public const int MetaUuid = 248;
    }

    /// <summary>The header of a group that says what is free in it: xfs_agf.</summary>
    public static class FreeSpace
    {
        public const int Number = 8;
        public const int ListCount = 48;
        public const int FreeBlocks = 52;
        public const int TreeBlocks = 60;
        public const int Checksum = 216;
    }

    /// <summary>An inode: xfs_dinode.</summary>
    public static class Inode
    {
        public const int Mode = 2;
        public const int Version = 4;
        public const int Format = 5;
        public const int OldLinks = 6;
        public const int UserId = 8;
        public const int GroupId = 12;
        public const int Links = 16;
        public const int Project = 20;
        public const int LargeExtentCount = 24;
        public const int FlushIteration = 30;
        public const int Accessed = 32;
        public const int Modified = 40;
        public const int Changed = 48;
        public const int Size = 56;
        public const int BlockCount = 64;
        public const int ExtentSize = 72;
        public const int ExtentCount = 76;
        public const int AttributeExtentCount = 80;
        public const int ForkOffset = 82;
        public const int AttributeFormat = 83;
        public const int EventMask = 84;
        public const int EventState = 88;
        public const int Flags = 90;
        public const int Generation = 92;
        public const int NextUnlinked = 96;
        public const int Checksum = 100;
        public const int Changes = 104;
        public const int Lsn = 112;
        public const int Flags2 = 120;
        public const int CopyExtentSize = 128;
        public const int Created = 144;
        public const int Number = 152;
        public const int Uuid = 160;
        public const int OldCoreLength = 100;
        public const int CoreLength = 176;

        /// <summary>What the fork offset is counted in.</summary>
        public const int ForkUnit = 8;
    }

    /// <summary>A record of an extent: xfs_bmbt_rec, 128 bits without a byte's alignment.</summary>
    public static class Extent
    {
        public const int Length = 16;
        public const int OffsetShift = 9;
        public const int CountBits = 21;
        public const int HighBlockBits = 9;
        public const int LowBlockBits = 64 - CountBits;
    }

    /// <summary>The tree of a file's extents: the root in the inode (xfs_bmdr_block), and blocks (xfs_btree_block of 64 bits).</summary>
    public static class Tree
    {
        public const int RootHeader = 4;
        public const int RootLevel = 0;
        public const int RootCount = 2;
        public const int Level = 4;
        public const int Count = 6;
        public const int OldHeader = 24;
        public const int Header = 72;
        public const int Own = 24;
        public const int Checksum = 64;
        public const int KeyLength = 8;
        public const int PointerLength = 8;
    }

    /// <summary>Directories: xfs_dir2_sf_hdr, xfs_dir2_data_hdr and xfs_dir3_data_hdr with their entries, xfs_dir2_block_tail.</summary>
    public static class Directory
    {
        public const int OldHeader = 16;
        public const int Header = 64;
        public const int Checksum = 4;
        public const int Own = 8;
        public const int TailLength = 8;
        public const int LeafLength = 8;
        public const int NameLength = 8;
        public const int Name = 9;
        public const int Alignment = 8;

        public const int TagLength = 2;
        public const ushort Free = 0xFFFF;
        public const int FreeLength = 2;
        public const int ShortHeader = 2;
        public const int ShortName = 3;

        /// <summary>Where in a directory its names end, and the blocks of its index begin.</summary>
        public const long IndexOffset = 1L << 35;
    }

    /// <summary>What the header of a block of version 5 says of itself: its place in units of 512 bytes, the file system's UUID, and the inode it belongs to.</summary>
    public static class Own
    {
        public const int Place = 0;
        public const int Uuid = 16;
        public const int UuidLength = 16;
        public const int Inode = 32;
        public const int PlaceUnit = 512;
    }

    /// <summary>A block of a target of a link: xfs_dsymlink_hdr.</summary>
    public static class Link
    {
        public const int Header = 56;
        public const int Offset = 4;
        public const int Bytes = 8;
        public const int Checksum = 12;
        public const int Owner = 32;
        public const int MaxTarget = 1024;
    }
}
