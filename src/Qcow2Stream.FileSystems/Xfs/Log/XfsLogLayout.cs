namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>
/// Where things are in the log, in bytes from the start of each ("Journaling Log"; the Linux kernel's xfs_log_format.h). Headers of records and operations are
/// big-endian, items have the order of the machine that wrote them.
/// </summary>
internal static class XfsLogLayout
{
    /// <summary>What the log is counted in, whatever the sectors of the disk are.</summary>
    public const int Block = 512;

    /// <summary>The longest log that can be made.</summary>
    public const long MaxLength = 2L << 30;

    /// <summary>A header of a record: xlog_rec_header.</summary>
    public static class Record
    {
        public const uint Magic = 0xFEEDBABE;
        public const int Cycle = 4;
        public const int Version = 8;
        public const int Length = 12;
        public const int Lsn = 16;
        public const int TailLsn = 24;
        public const int Checksum = 32;
        public const int Operations = 40;
        public const int CycleData = 44;
        public const int Format = 300;
        public const int Uuid = 304;
        public const int UuidLength = 16;
        public const int Size = 320;

        /// <summary>What of a header is under the checksum: on most machines, and on those of 32 bits.</summary>
        public const int SummedLength = 328;
        public const int SummedLengthOf32Bits = 324;

        public const uint SecondVersion = 2;
        public const uint LittleEndian = 1;

        /// <summary>How many blocks of the record one block of a header has the first words of; a longer record has more (xlog_rec_ext_header).</summary>
        public const int CyclesByHeader = 64;
        public const int CoveredByHeader = CyclesByHeader * Block;
        public const int MoreCycleData = 4;
        public const int MoreSummedLength = MoreCycleData + (CyclesByHeader * sizeof(uint));

        /// <summary>The longest record without its headers, and how many are written at a time.</summary>
        public const int MaxLength = 256 << 10;
        public const int MaxInFlight = 8;
    }

    /// <summary>The header of an operation: xlog_op_header.</summary>
    public static class Operation
    {
        public const int HeaderLength = 12;
        public const int Transaction = 0;
        public const int Length = 4;
        public const int Client = 8;
        public const int Flags = 9;
        public const byte ClientIsTransaction = 0x69;
        public const byte ClientIsLog = 0xAA;
    }

    /// <summary>What a transaction begins with: xfs_trans_header.</summary>
    public static class Transaction
    {
        public const int HeaderLength = 16;
        public const uint Magic = 0x5452414E;
    }

    /// <summary>What every item begins with.</summary>
    public static class Item
    {
        public const int Kind = 0;
        public const int Regions = 2;
        public const int HeaderLength = 4;
        public const int MaxRegions = 1025;
    }

    /// <summary>An item of a buffer: xfs_buf_log_format.</summary>
    public static class Buffer
    {
        public const int Flags = 4;
        public const int Length = 6;
        public const int Place = 8;
        public const int MapLength = 16;
        public const int Map = 20;
        public const int Chunk = 128;

        /// <summary>The longest that is logged: a block of 64 KiB, or a directory's.</summary>
        public const int MaxLength = 64 << 10;
    }

    /// <summary>An item of an inode: xfs_inode_log_format, and the packed one of machines of 32 bits.</summary>
    public static class Inode
    {
        public const int Length = 56;
        public const int PackedLength = 52;
        public const int Padding = Length - PackedLength;
        public const int Fields = 4;
        public const int Number = 16;
        public const int Device = 24;
        public const int Place = 40;
        public const int BufferLength = 48;
        public const int Offset = 52;
    }

    /// <summary>An item of new inodes, xfs_icreate_log; big-endian but for its head.</summary>
    public static class Create
    {
        public const int Group = 4;
        public const int Block = 8;
        public const int Count = 12;
        public const int InodeSize = 16;
        public const int Length = 20;
        public const int Generation = 24;
        public const int ItemLength = 28;
    }

    /// <summary>What is to be done, and that it is done: xfs_efi_log_format, xfs_bui_log_format and their like.</summary>
    public static class Intent
    {
        public const int Count = 4;
        public const int Id = 8;
        public const int Extents = 16;

        public const int FreeLength = 16;
        public const int PackedFreeLength = 12;
        public const int FreeBlocks = 8;

        public const int MapLength = 32;
        public const int MapOwner = 0;
        public const int MapBlock = 8;
        public const int MapFileBlock = 16;
        public const int MapBlocks = 24;
        public const int MapFlags = 28;
    }

    /// <summary>Two files whose content is to be exchanged: xfs_xmi_log_format.</summary>
    public static class Exchange
    {
        public const int FirstInode = 16;
        public const int SecondInode = 24;
        public const int FirstGeneration = 32;
        public const int SecondGeneration = 36;
        public const int FirstStart = 40;
        public const int SecondStart = 48;
        public const int Blocks = 56;
        public const int Flags = 64;
        public const int ItemLength = 88;
    }
}
