namespace Qcow2Stream.FileSystems.Ext;

/// <summary>
/// Where things are in the structures of ext2, ext3 and ext4, in bytes from the start of each ("ext4 Data Structures and Algorithms" in the Linux kernel's
/// documentation). All numbers are little-endian.
/// </summary>
internal static class ExtLayout
{
    /// <summary>The superblock: ext4_super_block.</summary>
    public static class Superblock
    {
        public const int Offset = 1024;
        public const int Length = 1024;
        public const int InodeCount = 0;
        public const int BlockCount = 4;
        public const int FreeBlocks = 12;
        public const int FirstDataBlock = 20;
        public const int LogBlockSize = 24;
        public const int LogClusterSize = 28;
        public const int BlocksPerGroup = 32;
        public const int InodesPerGroup = 40;
        public const int Creator = 72;
        public const int Revision = 76;
        public const int InodeSize = 88;
        public const int CompatibleFeatures = 92;
        public const int IncompatibleFeatures = 96;
        public const int ReadOnlyFeatures = 100;
        public const int Uuid = 104;
        public const int UuidLength = 16;
        public const int Label = 120;
        public const int LabelLength = 16;
        public const int JournalInode = 224;
        public const int DescriptorSize = 254;
        public const int FirstMetaGroup = 260;
        public const int BlockCountHigh = 336;
        public const int FreeBlocksHigh = 344;
        public const int ChecksumType = 373;
        public const int BackupGroups = 588;
        public const int ChecksumSeed = 624;
        public const int Checksum = 1020;

        /// <summary>CRC-32C, the one type of checksum that there is.</summary>
        public const byte Castagnoli = 1;
    }

    /// <summary>What a file system has that older readers can stop at, or not: the bits of its three fields.</summary>
    public static class Feature
    {
        public const uint Journal = 0x4;
        public const uint SparseBackups2 = 0x200;

        public const uint FileTypes = 0x2;
        public const uint Recover = 0x4;
        public const uint MetaGroups = 0x10;
        public const uint Extents = 0x40;
        public const uint SixtyFourBit = 0x80;
        public const uint MultipleMounts = 0x100;
        public const uint FlexibleGroups = 0x200;
        public const uint AttributesInInodes = 0x400;
        public const uint ChecksumSeed = 0x2000;
        public const uint LargeDirectories = 0x4000;
        public const uint InlineData = 0x8000;
        public const uint Encryption = 0x10000;
        public const uint FoldedNames = 0x20000;

        public const uint SparseBackups = 0x1;
        public const uint DescriptorChecksums = 0x10;
        public const uint LargeClusters = 0x200;
        public const uint Checksums = 0x400;
    }

    /// <summary>A group's descriptor: ext4_group_desc. Only descriptors of 64 bytes or more have the high half of a number.</summary>
    public static class Descriptor
    {
        public const int SmallLength = 32;
        public const int LargeLength = 64;
        public const int InodeTable = 8;
        public const int FreeBlocks = 12;
        public const int Flags = 18;
        public const int Checksum = 30;
        public const int InodeTableHigh = 40;
        public const int FreeBlocksHigh = 44;
    }

    /// <summary>An inode: ext4_inode.</summary>
    public static class Inode
    {
        public const int BaseLength = 128;
        public const int Mode = 0;
        public const int UserId = 2;
        public const int Size = 4;
        public const int Modified = 16;
        public const int GroupId = 24;
        public const int Links = 26;
        public const int Sectors = 28;
        public const int Flags = 32;
        public const int Map = 40;
        public const int MapLength = 60;
        public const int Generation = 100;
        public const int Attributes = 104;
        public const int SizeHigh = 108;
        public const int SectorsHigh = 116;
        public const int AttributesHigh = 118;
        public const int UserIdHigh = 120;
        public const int GroupIdHigh = 122;
        public const int Checksum = 124;
        public const int ExtraLength = 128;
        public const int ChecksumHigh = 130;
        public const int ModifiedExtra = 136;

        public const uint IsEncrypted = 0x800;
        public const uint HasIndex = 0x1000;
        public const uint HasExtents = 0x80000;
        public const uint IsAttribute = 0x200000;
        public const uint IsInline = 0x10000000;
    }

    /// <summary>An attribute in an inode: ext4_xattr_ibody_header, ext4_xattr_entry.</summary>
    public static class Attribute
    {
        public const uint Magic = 0xEA020000;
        public const int NameIndex = 1;
        public const int ValueOffset = 2;
        public const int ValueLength = 8;
        public const int Length = 16;
        public const byte System = 7;
    }

    /// <summary>A node of a tree of extents, and what is in it: ext4_extent_header, ext4_extent, ext4_extent_idx, ext4_extent_tail.</summary>
    public static class Extent
    {
        public const ushort Magic = 0xF30A;
        public const int EntryLength = 12;
        public const int MaxDepth = 5;

        public const int Entries = 2;
        public const int MaxEntries = 4;
        public const int Depth = 6;

        public const int FileBlock = 0;
        public const int BlockCount = 4;
        public const int BlockHigh = 6;
        public const int Block = 8;
        public const int Node = 4;
        public const int NodeHigh = 8;

        /// <summary>Longer ones are allocated but were never written: they read as zeros.</summary>
        public const int MaxWrittenBlocks = 32768;
    }

    /// <summary>A name in a directory: ext4_dir_entry_2.</summary>
    public static class Name
    {
        public const int RecordLength = 4;
        public const int NameLength = 6;
        public const int Kind = 7;
        public const int HeaderLength = 8;

        /// <summary>The last record, if blocks have checksums: as long as this, with a kind that no name has.</summary>
        public const int TailLength = 12;
        public const uint TailMark = 0xDE00000C;
        public const int TailChecksum = 8;
    }

    /// <summary>The index of a directory: dx_root, dx_node, dx_countlimit, dx_tail. The first block has two names before it, the others none.</summary>
    public static class Index
    {
        public const int ParentRecord = 12;
        public const int Entries = 8;
        public const int RootEntries = 32;
        public const int Count = 2;
        public const int EntryLength = 8;
        public const int TailChecksum = 4;
        public const int TailLength = 8;
    }
}
