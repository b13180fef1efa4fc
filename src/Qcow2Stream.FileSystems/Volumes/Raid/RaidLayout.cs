namespace Qcow2Stream.FileSystems.Volumes.Raid;

/// <summary>Where the fields of the superblocks of Linux' md driver are, in bytes (include/uapi/linux/raid/md_p.h). Little-endian.</summary>
internal static class RaidLayout
{
    public const uint Magic = 0xA92B4EFC;

    /// <summary>The driver counts in sectors of this length.</summary>
    public const int Sector = BlockSource.DefaultSectorSize;

    /// <summary>Version 1: at the start (1.1), 4 KiB behind it (1.2), or 8 KiB before the end (1.0).</summary>
    public static class Version1
    {
        public const int MajorVersion = 4;
        public const int Features = 8;
        public const int Array = 16;
        public const int Name = 32;
        public const int NameLength = 32;
        public const int Level = 72;
        public const int Layout = 76;
        public const int MemberSectors = 80;
        public const int ChunkSectors = 88;
        public const int MemberCount = 92;
        public const int DataOffset = 128;
        public const int DataSectors = 136;
        public const int SuperOffset = 144;
        public const int RecoveryOffset = 152;
        public const int DeviceNumber = 160;
        public const int Events = 200;
        public const int SynchronisedTo = 208;
        public const int Checksum = 216;
        public const int MaxRoles = 220;
        public const int Roles = 256;

        public const int Length = 4096;
        public const int SecondPlace = 4096;
        public const int FromEnd = 8192;
        public const int Alignment = 4096;

        // What the features say.
        public const uint IsRecovering = 0x2;
        public const uint IsReshaping = 0x4;
        public const uint HasBadBlocks = 0x8;
        public const uint IsReplacement = 0x10;
        public const uint HasJournal = 0x200;
        public const uint HasRaid0Layout = 0x1000;
        public const uint KnownFeatures = 0x1FFF;
    }

    /// <summary>Version 0.90: in the last whole 64 KiB but the one that is cut; words of 32 bits.</summary>
    public static class Version090
    {
        public const int MajorVersion = 4;
        public const int Array = 20;
        public const int Level = 28;
        public const int MemberKilobytes = 32;
        public const int MemberCount = 40;
        public const int Minor = 44;
        public const int ArrayRest = 52;
        public const int ArrayState = 132;
        public const int Checksum = 152;
        public const int Events = 156;
        public const int CheckpointEvents = 164;
        public const int ReshapePosition = 176;
        public const int SynchronisedTo = 172;
        public const int MinorVersion = 8;
        public const int Layout = 256;
        public const int ChunkBytes = 260;
        public const int Descriptions = 512;
        public const int DescriptionLength = 128;
        public const int MaxDevices = 27;
        public const int OwnDescription = 3968;
        public const int Role = 12;
        public const int State = 16;

        public const int Length = 4096;
        public const int Reserved = 64 << 10;
        public const uint IsClean = 0x1;
        public const uint IsActive = 0x2;
        public const uint IsInSync = 0x4;
        public const uint IsFaulty = 0x1;
        public const int ReshapingMinorVersion = 91;
    }
}
