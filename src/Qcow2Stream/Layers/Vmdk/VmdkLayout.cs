using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>
/// Where the fields of sparse VMDK extents are ("Virtual Disk Format", hosted sparse, ESX Server sparse and stream-optimized extents). All little-endian.
/// </summary>
internal static class VmdkLayout
{
    // A hosted extent (Workstation and such).
    public const int Version = 4;
    public const int Flags = 8;
    public const int Capacity = 12;
    public const int GrainSize = 20;
    public const int DescriptorOffset = 28;
    public const int DescriptorSize = 36;
    public const int TableEntries = 44;
    public const int DirectoryOffset = 56;
    public const int Overhead = 64;
    public const int CompressAlgorithm = 77;

    public const uint HasZeroedGrains = 1 << 2;
    public const uint HasCompressedGrains = 1 << 16;
    public const uint HasMarkers = 1 << 17;
    public const ushort Deflate = 1;

    /// <summary>The directory's offset where the header is a copy, and the one that counts is in the footer.</summary>
    public const long DirectoryAtEnd = -1;

    // An extent of a server (ESX).
    public const int ServerCapacity = 12;
    public const int ServerGrainSize = 16;
    public const int ServerDirectoryOffset = 20;
    public const int ServerDirectoryEntries = 24;
    public const int ServerTableEntries = 4096;

    // A space-efficient sparse extent of a server (seSparse): the constant header, in sectors where it is about places.
    public const ulong SpaceEfficientMagic = 0xCAFEBABE;
    public const ulong VolatileMagic = 0xCAFECAFE;
    public const ulong SpaceEfficientVersion = 0x2_0000_0001;
    public const int SpaceEfficientVersionField = 8;
    public const int SpaceEfficientCapacity = 16;
    public const int SpaceEfficientGrainSize = 24;
    public const int SpaceEfficientTableSize = 32;
    public const int SpaceEfficientFlags = 40;
    public const int SpaceEfficientReserved = 48;
    public const int VolatileHeaderOffset = 80;
    public const int SpaceEfficientDirectoryOffset = 128;
    public const int SpaceEfficientDirectorySize = 136;
    public const int SpaceEfficientTablesOffset = 144;
    public const int SpaceEfficientGrainsOffset = 192;
    public const int SpaceEfficientPadding = 208;

    // The only sizes that are made: grains of 4 KiB, and tables of 4096 entries.
    public const int SpaceEfficientGrainSectors = 8;
    public const int SpaceEfficientTableSectors = 64;

    // Its volatile header.
    public const int ReplayJournal = 24;
    public const int VolatilePadding = 32;

    // The end of a stream: the footer's marker, the footer, the end-of-stream marker; a sector each.
    public const int FooterFromEnd = 3 * Sector.Size;
    public const int MarkerValue = 0;
    public const int MarkerSize = 8;
    public const int MarkerType = 12;
    public const uint FooterMarker = 3;
    public const uint EndOfStreamMarker = 0;

    /// <summary>The header of a compressed grain: the sector of the disk, and the number of bytes that follow.</summary>
    public const int GrainHeaderLength = 12;
    public const int GrainHeaderSize = 8;

    /// <summary>The entry of a grain of zeros, where the flags allow such.</summary>
    public const uint ZeroedGrain = 1;

    public static ReadOnlySpan<byte> HostedMagic => "KDMV"u8;

    public static ReadOnlySpan<byte> ServerMagic => "COWD"u8;
}
