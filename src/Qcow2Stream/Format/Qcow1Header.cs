using System.Buffers.Binary;

namespace Qcow2Stream.Format;

/// <summary>The header of an image in QEMU's first format, checked. There is no specification but QEMU's block/qcow.c.</summary>
internal sealed class Qcow1Header
{
    /// <summary>The header's length in bytes; what an image records after it is found by offsets.</summary>
    public const int Length = 48;

    public const uint Version = 1;

    // Positions of the fields, all of them big-endian; the seconds of the backing file's last change, at 20, are unused.
    private const int VersionOffset = 4;
    private const int BackingFileOffsetOffset = 8;
    private const int BackingFileSizeOffset = 16;
    private const int SizeOffset = 24;
    private const int ClusterBitsOffset = 32;
    private const int L2BitsOffset = 33;
    private const int CryptMethodOffset = 36;
    private const uint MaxCryptMethod = 1;
    private const int L1TableOffsetOffset = 40;

    private const int MinClusterBits = 9;
    private const int MaxClusterBits = 16;

    // An L2 table takes 512 bytes to 64 KiB, in entries of 8.
    private const int MinL2Bits = 6;
    private const int MaxL2Bits = 13;

    private Qcow1Header()
    {
    }

    /// <summary>The guest disk's size in bytes, as recorded.</summary>
    public required long Size { get; init; }

    public required int ClusterBits { get; init; }

    public required int L2Bits { get; init; }

    /// <summary>None, or AES.</summary>
    public required Qcow2EncryptionMethod EncryptionMethod { get; init; }

    public required long L1TableOffset { get; init; }

    public int ClusterSize => 1 << ClusterBits;

    /// <summary>Entries in one L2 table.</summary>
    public int L2Entries => 1 << L2Bits;

    /// <summary>The shift from a guest offset to its entry in the L1 table.</summary>
    public int L1Shift => ClusterBits + L2Bits;

    /// <summary>How many entries the L1 table has: as many as the size needs, the number is not recorded.</summary>
    public int L1Entries => (int)EntriesFor(Size, L1Shift);

    /// <summary>Where the backing file's name is, in bytes; 0 if there is none.</summary>
    public required long BackingNameOffset { get; init; }

    /// <summary>The length of the backing file's name, in bytes.</summary>
    public required int BackingNameLength { get; init; }

    /// <summary>Whether the version, after the magic that all of QEMU's own formats share, is this format's.</summary>
    public static bool HasVersion(ReadOnlySpan<byte> start) =>
        start.Length >= BackingFileOffsetOffset && U32(start, VersionOffset) == Version;

    /// <summary>Parses the first bytes of an image.</summary>
    /// <param name="start">At least <see cref="Length"/> bytes, fewer only if the file has no more.</param>
    /// <param name="fileLength">The length of the whole file.</param>
    /// <param name="limits">How much it may claim.</param>
    /// <param name="path">For messages.</param>
    public static Qcow1Header Parse(ReadOnlySpan<byte> start, long fileLength, in HeaderLimits limits, string? path)
    {
        if (start.Length < Length)
        {
            throw new Qcow2FormatException($"the header needs {Length} bytes, but the file ends after {start.Length}", path, hostOffset: start.Length);
        }

        if (!Qcow2HeaderParser.HasMagic(start))
        {
            throw new Qcow2FormatException("the file does not start with the magic of qcow", path, hostOffset: 0);
        }

        uint version = U32(start, VersionOffset);
        if (version != Version)
        {
            throw new Qcow2UnsupportedException(
                $"qcow version {version}", $"version is {version}; format qcow is version {Version}", path, VersionOffset);
        }

        int clusterBits = InRange(start[ClusterBitsOffset], MinClusterBits, MaxClusterBits, "cluster_bits", ClusterBitsOffset, path);
        int l2Bits = InRange(start[L2BitsOffset], MinL2Bits, MaxL2Bits, "l2_bits", L2BitsOffset, path);
        uint cryptMethod = U32(start, CryptMethodOffset);
        if (cryptMethod > MaxCryptMethod)
        {
            throw new Qcow2UnsupportedException(
                $"encryption method {cryptMethod}", $"crypt_method {cryptMethod} is not known; 0 (none) and 1 (AES) are", path, CryptMethodOffset);
        }

        long size = ReadSize(start, clusterBits + l2Bits, limits.L1TableBytes, path);
        (long nameOffset, int nameLength) = ReadBackingName(start, fileLength, limits.BackingFileNameBytes, path);
        return new Qcow1Header
        {
            Size = size,
            ClusterBits = clusterBits,
            L2Bits = l2Bits,
            EncryptionMethod = (Qcow2EncryptionMethod)cryptMethod,
            L1TableOffset = ReadL1Offset(start, EntriesFor(size, clusterBits + l2Bits) * L1Entry.Length, fileLength, path),
            BackingNameOffset = nameOffset,
            BackingNameLength = nameLength,
        };
    }

    private static long EntriesFor(long size, int shift) => (size >> shift) + ((size & ((1L << shift) - 1)) != 0 ? 1 : 0);

    private static int InRange(byte value, int min, int max, string field, int offset, string? path) =>
        value >= min && value <= max
            ? value
            : throw new Qcow2FormatException($"{field} is {value}; it must be from {min} to {max}", path, hostOffset: offset);

    private static long ReadSize(ReadOnlySpan<byte> start, int l1Shift, int maxL1TableBytes, string? path)
    {
        ulong size = U64(start, SizeOffset);
        if (size is <= 1 or > long.MaxValue)
        {
            throw new Qcow2FormatException($"size is {size}; it must be above 1 and below 2^63", path, hostOffset: SizeOffset);
        }

        long l1Bytes = EntriesFor((long)size, l1Shift) * L1Entry.Length;
        return l1Bytes <= maxL1TableBytes
            ? (long)size
            : throw new Qcow2UnsupportedException(
                "large L1 table",
                $"size is {size}: the L1 table would take {l1Bytes} bytes, more than the {maxL1TableBytes} that MaxL1TableBytes allows",
                path,
                SizeOffset)
            {
                Hint = nameof(Qcow2OpenOptions.MaxL1TableBytes),
            };
    }

    private static long ReadL1Offset(ReadOnlySpan<byte> start, long l1Bytes, long fileLength, string? path)
    {
        ulong offset = U64(start, L1TableOffsetOffset);
        return l1Bytes <= fileLength && offset <= (ulong)(fileLength - l1Bytes)
            ? (long)offset
            : throw new Qcow2FormatException(
                $"the L1 table (offset 0x{offset:x}, {l1Bytes} bytes) does not lie inside the file of {fileLength} bytes",
                path,
                hostOffset: L1TableOffsetOffset);
    }

    private static (long Offset, int Length) ReadBackingName(ReadOnlySpan<byte> start, long fileLength, int maxLength, string? path)
    {
        ulong offset = U64(start, BackingFileOffsetOffset);
        uint length = U32(start, BackingFileSizeOffset);
        if (offset == 0 || length == 0)
        {
            return (0, 0);
        }

        if (length > maxLength)
        {
            throw new Qcow2FormatException(
                $"the backing file name is {length} bytes long; MaxBackingFileNameBytes allows {maxLength}", path, hostOffset: BackingFileSizeOffset)
            {
                Hint = nameof(Qcow2OpenOptions.MaxBackingFileNameBytes),
            };
        }

        return length <= fileLength && offset <= (ulong)(fileLength - length)
            ? ((long)offset, (int)length)
            : throw new Qcow2FormatException(
                $"the backing file name (offset {offset}, length {length}) does not lie inside the file of {fileLength} bytes",
                path,
                hostOffset: BackingFileOffsetOffset);
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64BigEndian(bytes[offset..]);
}
