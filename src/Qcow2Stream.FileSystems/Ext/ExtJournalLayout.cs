namespace Qcow2Stream.FileSystems.Ext;

/// <summary>
/// Where things are in the blocks of a journal, in bytes from the start of each ("Journal (jbd2)" in the Linux kernel's documentation). All numbers are
/// big-endian.
/// </summary>
internal static class ExtJournalLayout
{
    /// <summary>What each block of the log begins with, but for the copies: journal_header_s.</summary>
    public static class Header
    {
        public const uint Magic = 0xC03B3998;
        public const int Type = 4;
        public const int Sequence = 8;
        public const int Length = 12;
    }

    /// <summary>The superblock: journal_superblock_s. What stands from the features on is there from version 2 on.</summary>
    public static class Superblock
    {
        public const int Length = 1024;
        public const int BlockSize = 12;
        public const int BlockCount = 16;
        public const int First = 20;
        public const int Sequence = 24;
        public const int Start = 28;
        public const int CompatibleFeatures = 36;
        public const int IncompatibleFeatures = 40;
        public const int ReadOnlyFeatures = 44;
        public const int Uuid = 48;
        public const int UuidLength = 16;
        public const int ChecksumType = 80;
        public const int FastCommitBlocks = 84;
        public const int Checksum = 252;

        /// <summary>CRC-32C, the one type of checksum that there is.</summary>
        public const byte Castagnoli = 4;
    }

    /// <summary>A tag in a descriptor: journal_block_tag_s, and journal_block_tag3_s of the third checksums.</summary>
    public static class Tag
    {
        public const int Block = 0;
        public const int ShortChecksum = 4;
        public const int Flags = 6;
        public const int HighBlock = 8;
        public const int Checksum = 12;

        public const int SmallLength = 8;
        public const int HighLength = 4;
        public const int ShortChecksumLength = 2;
        public const int LengthWithChecksum = 16;

        public const int IsEscaped = 1;
        public const int HasSameUuid = 2;
        public const int IsLast = 8;
    }

    /// <summary>Revoked blocks: jbd2_journal_revoke_header_s, with how many bytes are used, then their numbers.</summary>
    public static class Revoke
    {
        public const int Used = 12;
        public const int Blocks = 16;
    }

    /// <summary>The end of a transaction: commit_header.</summary>
    public static class Commit
    {
        public const int ChecksumType = 12;
        public const int ChecksumLength = 13;
        public const int Checksum = 16;
        public const int Seconds = 48;

        /// <summary>The CRC-32 of the first checksums.</summary>
        public const byte Crc32 = 1;
    }

    /// <summary>What fast commits begin with: ext4_fc_tl, ext4_fc_head. These numbers are little-endian.</summary>
    public static class FastCommit
    {
        public const ushort Head = 9;
        public const int Sequence = 8;
    }

    /// <summary>How long the checksum at the end of descriptors and revoked blocks is.</summary>
    public const int TailLength = 4;
}
