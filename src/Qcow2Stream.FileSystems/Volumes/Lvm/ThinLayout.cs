namespace Qcow2Stream.FileSystems.Volumes.Lvm;

/// <summary>Where the fields of a thin pool's metadata are, in bytes (drivers/md/dm-thin-metadata.c, persistent-data/dm-btree-internal.h). Little-endian.</summary>
internal static class ThinLayout
{
    public const int BlockLength = 4096;

    /// <summary>Each block begins with the checksum of what follows, with a number for each kind of block added.</summary>
    public const int Checksum = 0;
    public const int Checked = 4;

    /// <summary>The block's own number.</summary>
    public const int Number = 8;

    public static class Superblock
    {
        public const uint ChecksumSalt = 160774;
        public const ulong MagicValue = 27022010;
        public const int Magic = 32;
        public const int Version = 40;
        public const int LastVersion = 2;
        public const int MappingRoot = 320;
        public const int DataBlockSectors = 336;
        public const int MetadataBlockSectors = 340;
        public const int IncompatibleFeatures = 360;
    }

    /// <summary>A node: keys in order, then, from where the last one that fits would end, their values.</summary>
    public static class Node
    {
        public const uint ChecksumSalt = 121107;
        public const int Flags = 4;
        public const uint IsInternal = 1;
        public const uint IsLeaf = 2;
        public const int Entries = 16;
        public const int MaxEntries = 20;
        public const int ValueLength = 24;
        public const int Keys = 32;
        public const int KeyLength = 8;
    }

    /// <summary>Below the number of a data block stands when it was mapped.</summary>
    public const int TimeBits = 24;
}
