namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>Where the fields of LVM2's structures on a physical volume are, in bytes (lib/format_text/layout.h of LVM2). Little-endian.</summary>
internal static class LvmLayout
{
    /// <summary>LVM2 counts in sectors of this length, whatever the disk's are.</summary>
    public const int Sector = BlockSource.DefaultSectorSize;

    /// <summary>In how many sectors from the first one the label may be.</summary>
    public const int LabelSectors = 4;

    /// <summary>What checksums start from.</summary>
    public const uint ChecksumSeed = 0xF597A6CF;

    /// <summary>The label, a sector.</summary>
    public static class Label
    {
        public const int Id = 0;
        public const int SectorNumber = 8;
        public const int Checksum = 16;
        public const int HeaderOffset = 20;
        public const int Kind = 24;

        /// <summary>The checksum is of what follows it.</summary>
        public const int Checked = HeaderOffset;

        public static ReadOnlySpan<byte> IdValue => "LABELONE"u8;

        public static ReadOnlySpan<byte> KindValue => "LVM2 001"u8;
    }

    /// <summary>The physical volume's header, behind the label in its sector: its UUID, its size, then a list of data areas and one of metadata areas.</summary>
    public static class Header
    {
        public const int Uuid = 0;
        public const int UuidLength = 32;
        public const int Areas = 40;

        /// <summary>An area: where it starts and how long it is; zeros end a list.</summary>
        public const int AreaLength = 16;
        public const int AreaSize = 8;
    }

    /// <summary>The header of a metadata area, a sector: the texts that are in the area, the valid one first.</summary>
    public static class Area
    {
        public const int Checksum = 0;
        public const int Magic = 4;
        public const int Version = 20;
        public const int Size = 32;
        public const int Texts = 40;
        public const int Length = Sector;

        public const int TextSize = 8;
        public const int TextChecksum = 16;
        public const int TextFlags = 20;
        public const uint TextIsIgnored = 1;

        public const uint VersionValue = 1;

        public static ReadOnlySpan<byte> MagicValue => " LVM2 x[5A%r0N*>"u8;
    }
}
