using System.Buffers.Binary;
using System.Text;

namespace Qcow2Stream.Format;

/// <summary>Bytes in, a checked header out: every rule for a header is here and nowhere else.</summary>
internal static class Qcow2HeaderParser
{
    /// <summary>"QFI\xfb", the first four bytes of every version.</summary>
    public const uint MagicNumber = 0x5146_49FB;

    private const int MaxRefcountOrder = 6;

    public static bool HasMagic(ReadOnlySpan<byte> start) =>
        start.Length >= sizeof(uint) && BinaryPrimitives.ReadUInt32BigEndian(start) == MagicNumber;

    /// <summary>
    /// Parses and checks a header. Null if the header continues, inside the first cluster, past the bytes given:
    /// then call again with the <paramref name="needed"/> first bytes of the file.
    /// </summary>
    /// <param name="start">The first bytes of the file: all of it, if the file is shorter than what was asked for.</param>
    /// <param name="fileLength">The length of the file in bytes.</param>
    /// <param name="limits">How much it may claim.</param>
    /// <param name="path">The file's name for messages.</param>
    /// <param name="needed">The bytes to give at the next call.</param>
    /// <param name="lenient">Lets the L1 table lie past the end of the file; what is missing of it is for its reader to report.</param>
    /// <exception cref="Qcow2FormatException">A field breaks a rule of the specification.</exception>
    /// <exception cref="Qcow2UnsupportedException">A feature, version or size is not handled.</exception>
    public static Qcow2Header? Parse(
        ReadOnlySpan<byte> start, long fileLength, in HeaderLimits limits, string? path, out int needed, bool lenient = false)
    {
        if (!HasMagic(start))
        {
            throw new Qcow2FormatException("the file does not start with the magic of qcow2, \"QFI\\xfb\"", path, hostOffset: 0);
        }

        uint version = U32(Require(start, HeaderLayout.Version2Length, path), HeaderLayout.Version);
        CheckVersion(version, path);

        uint clusterBits = U32(start, HeaderLayout.ClusterBits);
        if (clusterBits is < Geometry.MinClusterBits or > Geometry.MaxClusterBits)
        {
            throw new Qcow2FormatException(
                $"cluster_bits is {clusterBits}; it must be from {Geometry.MinClusterBits} to {Geometry.MaxClusterBits}",
                path,
                hostOffset: HeaderLayout.ClusterBits);
        }

        Qcow2IncompatibleFeatures incompatible = version < 3
            ? Qcow2IncompatibleFeatures.None
            : (Qcow2IncompatibleFeatures)U64(Require(start, HeaderLayout.Version3MinimumLength, path), HeaderLayout.IncompatibleFeatures);
        bool extendedL2 = incompatible.HasFlag(Qcow2IncompatibleFeatures.ExtendedL2);
        if (extendedL2 && clusterBits < Geometry.MinExtendedClusterBits)
        {
            throw new Qcow2FormatException(
                $"cluster_bits is {clusterBits}; with extended L2 entries it must be at least {Geometry.MinExtendedClusterBits}",
                path,
                hostOffset: HeaderLayout.ClusterBits);
        }

        Geometry geometry = new((int)clusterBits, extendedL2);
        needed = (int)Math.Min(geometry.ClusterSize, fileLength);
        int headerLength = HeaderLayout.Version2Length;
        uint refcountOrder = 4;
        if (version >= 3)
        {
            headerLength = CheckHeaderLength(U32(start, HeaderLayout.HeaderLength), geometry, fileLength, path);
            refcountOrder = U32(start, HeaderLayout.RefcountOrder);
            if (refcountOrder > MaxRefcountOrder)
            {
                throw new Qcow2FormatException(
                    $"refcount_order is {refcountOrder}; it must be at most {MaxRefcountOrder}",
                    path,
                    hostOffset: HeaderLayout.RefcountOrder);
            }
        }

        ulong backingOffset = U64(start, HeaderLayout.BackingFileOffset);
        uint backingLength = U32(start, HeaderLayout.BackingFileSize);
        CheckBackingName(backingOffset, backingLength, geometry, limits.BackingFileNameBytes, fileLength, path);
        int extensionsEnd = backingOffset != 0 ? (int)backingOffset : geometry.ClusterSize;

        bool complete = start.Length >= needed;
        if (!complete && (headerLength > start.Length || (long)backingOffset + backingLength > start.Length))
        {
            return null;
        }

        List<Qcow2HeaderExtension>? extensions =
            HeaderExtensions.Parse(start, headerLength, extensionsEnd, limits.HeaderExtensions, path);
        if (extensions is null)
        {
            // Every byte of a short file was seen: what is missing is not there.
            return complete ? throw Truncated(extensionsEnd, fileLength, path) : null;
        }

        CheckIncompatible(incompatible, extensions, path);
        ulong autoclear = version < 3 ? 0 : U64(start, HeaderLayout.AutoclearFeatures);
        CheckRawDataFile(incompatible, autoclear, backingLength == 0 ? 0 : backingOffset, path);

        (long size, int l1Size, long l1Offset) = ReadL1(start, geometry, lenient ? long.MaxValue : fileLength, limits.L1TableBytes, path);
        return new Qcow2Header
        {
            Version = (int)version,
            ClusterBits = (int)clusterBits,
            Size = size,
            EncryptionMethod = CheckCryptMethod(U32(start, HeaderLayout.CryptMethod), extensions, path),
            L1Size = l1Size,
            L1TableOffset = l1Offset,
            RefcountTableOffset = U64(start, HeaderLayout.RefcountTableOffset),
            RefcountTableClusters = U32(start, HeaderLayout.RefcountTableClusters),
            SnapshotCount = U32(start, HeaderLayout.NbSnapshots),
            SnapshotsOffset = U64(start, HeaderLayout.SnapshotsOffset),
            IncompatibleFeatures = incompatible,
            CompatibleFeatures = version < 3 ? 0 : U64(start, HeaderLayout.CompatibleFeatures),
            AutoclearFeatures = autoclear,
            RefcountOrder = (int)refcountOrder,
            HeaderLength = headerLength,
            CompressionType = ReadCompressionType(start, headerLength, incompatible, path),
            BackingFileName = backingOffset == 0 ? default : start.Slice((int)backingOffset, (int)backingLength).ToArray(),
            BackingFormat = LastOf(
                extensions, HeaderExtensions.BackingFormat, limits.BackingFormatBytes, nameof(Qcow2OpenOptions.MaxBackingFormatBytes), path) is { } format
                ? Encoding.UTF8.GetString(format.Span)
                : null,
            DataFileName = LastOf(
                extensions, HeaderExtensions.ExternalDataFile, limits.DataFileNameBytes, nameof(Qcow2OpenOptions.MaxDataFileNameBytes), path) ?? default,
            Extensions = extensions,
        };
    }

    private static void CheckVersion(uint version, string? path)
    {
        switch (version)
        {
            case 2 or 3:
                return;
            case 0:
                throw new Qcow2FormatException("version is 0; it must be 2 or 3", path, hostOffset: HeaderLayout.Version);
            case 1:
                throw new Qcow2UnsupportedException(
                    "qcow version 1", "the image is in format qcow (version 1), not qcow2 (2 or 3)", path, HeaderLayout.Version);
            default:
                throw new Qcow2UnsupportedException(
                    $"qcow2 version {version}", $"qcow2 version {version} is not known; 2 and 3 are", path, HeaderLayout.Version);
        }
    }

    private static int CheckHeaderLength(uint headerLength, Geometry geometry, long fileLength, string? path)
    {
        if (headerLength < HeaderLayout.Version3MinimumLength || headerLength % 8 != 0 || headerLength > geometry.ClusterSize)
        {
            throw new Qcow2FormatException(
                $"header_length is {headerLength}; it must be a multiple of 8, from {HeaderLayout.Version3MinimumLength} to the cluster size {geometry.ClusterSize}",
                path,
                hostOffset: HeaderLayout.HeaderLength);
        }

        return headerLength <= fileLength ? (int)headerLength : throw Truncated(headerLength, fileLength, path);
    }

    private static void CheckBackingName(ulong offset, uint length, Geometry geometry, int maxLength, long fileLength, string? path)
    {
        if (offset == 0)
        {
            return;
        }

        if (offset > (ulong)geometry.ClusterSize || length > (ulong)geometry.ClusterSize - offset)
        {
            throw new Qcow2FormatException(
                $"the backing file name (offset {offset}, length {length}) does not lie in the first cluster of {geometry.ClusterSize} bytes",
                path,
                hostOffset: HeaderLayout.BackingFileOffset);
        }

        if (length > maxLength)
        {
            throw new Qcow2FormatException(
                $"the backing file name is {length} bytes long; MaxBackingFileNameBytes allows {maxLength}",
                path,
                hostOffset: HeaderLayout.BackingFileSize)
            {
                Hint = nameof(Qcow2OpenOptions.MaxBackingFileNameBytes),
            };
        }

        if ((long)offset + length > fileLength)
        {
            throw Truncated((long)offset + length, fileLength, path);
        }
    }

    private static void CheckIncompatible(
        Qcow2IncompatibleFeatures features, IEnumerable<Qcow2HeaderExtension> extensions, string? path)
    {
        const Qcow2IncompatibleFeatures Known = Qcow2IncompatibleFeatures.Dirty | Qcow2IncompatibleFeatures.Corrupt
            | Qcow2IncompatibleFeatures.ExternalDataFile | Qcow2IncompatibleFeatures.CompressionType
            | Qcow2IncompatibleFeatures.ExtendedL2;
        ulong unknown = (ulong)(features & ~Known);
        if (unknown == 0)
        {
            return;
        }

        string feature = FeatureNames.DescribeIncompatible(unknown, extensions);
        throw new Qcow2UnsupportedException(
            feature, $"the image uses a feature that is not handled: {feature}", path, HeaderLayout.IncompatibleFeatures);
    }

    private static Qcow2EncryptionMethod CheckCryptMethod(uint method, List<Qcow2HeaderExtension> extensions, string? path)
    {
        if (method > (uint)Qcow2EncryptionMethod.Luks)
        {
            throw new Qcow2UnsupportedException(
                $"encryption method {method}", $"crypt_method {method} is not known; 0 (none), 1 (AES) and 2 (LUKS) are", path, HeaderLayout.CryptMethod);
        }

        // It is there if and only if the method is LUKS. One flipped bit must not make encrypted bytes the disk's own.
        return method == (uint)Qcow2EncryptionMethod.Luks || !extensions.Exists(e => e.Type == HeaderExtensions.FullDiskEncryption)
            ? (Qcow2EncryptionMethod)method
            : throw new Qcow2FormatException(
                $"crypt_method is {method}, but there is a full disk encryption extension, which only {(uint)Qcow2EncryptionMethod.Luks} (LUKS) has",
                path,
                hostOffset: HeaderLayout.CryptMethod);
    }

    private static (long Size, int L1Size, long L1Offset) ReadL1(
        ReadOnlySpan<byte> start, Geometry geometry, long fileLength, int maxL1TableBytes, string? path)
    {
        ulong size = U64(start, HeaderLayout.Size);
        if (size > long.MaxValue)
        {
            throw new Qcow2FormatException($"size is {size}; it must be below 2^63", path, hostOffset: HeaderLayout.Size);
        }

        uint l1Size = U32(start, HeaderLayout.L1Size);
        long l1Bytes = (long)l1Size * L1Entry.Length;
        if (l1Bytes > maxL1TableBytes)
        {
            throw new Qcow2UnsupportedException(
                "large L1 table",
                $"l1_size is {l1Size}: the L1 table would take {l1Bytes} bytes, more than the {maxL1TableBytes} that MaxL1TableBytes allows",
                path,
                HeaderLayout.L1Size)
            {
                Hint = nameof(Qcow2OpenOptions.MaxL1TableBytes),
            };
        }

        long needed = geometry.L1EntriesFor((long)size);
        if (l1Size < needed)
        {
            throw new Qcow2FormatException(
                $"l1_size is {l1Size}; a disk of {size} bytes needs {needed} entries", path, hostOffset: HeaderLayout.L1Size);
        }

        ulong l1Offset = U64(start, HeaderLayout.L1TableOffset);
        if (l1Offset > long.MaxValue || !geometry.IsClusterAligned((long)l1Offset))
        {
            throw new Qcow2FormatException(
                $"L1 table offset 0x{l1Offset:x} is not cluster-aligned", path, hostOffset: HeaderLayout.L1TableOffset);
        }

        if (l1Bytes > 0 && (long)l1Offset > fileLength - l1Bytes)
        {
            throw new Qcow2FormatException(
                $"the L1 table (offset 0x{l1Offset:x}, {l1Bytes} bytes) does not lie inside the file of {fileLength} bytes",
                path,
                hostOffset: HeaderLayout.L1TableOffset);
        }

        return ((long)size, (int)l1Size, (long)l1Offset);
    }

    private static Qcow2CompressionType ReadCompressionType(
        ReadOnlySpan<byte> start, int headerLength, Qcow2IncompatibleFeatures incompatible, string? path)
    {
        byte type = headerLength > HeaderLayout.CompressionType ? start[HeaderLayout.CompressionType] : (byte)0;
        bool flagged = incompatible.HasFlag(Qcow2IncompatibleFeatures.CompressionType);
        if ((type != 0) != flagged)
        {
            throw new Qcow2FormatException(
                $"compression_type is {type}, but incompatible feature bit 3 is {(flagged ? "set" : "clear")}: it must be set for every type but 0",
                path,
                hostOffset: HeaderLayout.CompressionType);
        }

        return type <= (byte)Qcow2CompressionType.Zstd
            ? (Qcow2CompressionType)type
            : throw new Qcow2UnsupportedException(
                $"compression type {type}", $"compression_type {type} is not known; 0 (zlib) and 1 (zstd) are", path, HeaderLayout.CompressionType);
    }

    /// <summary>The data of the last extension of a type that holds a name; null if there is none.</summary>
    private static ReadOnlyMemory<byte>? LastOf(
        List<Qcow2HeaderExtension> extensions, uint type, int maxLength, string option, string? path)
    {
        ReadOnlyMemory<byte>? found = null;
        foreach (Qcow2HeaderExtension extension in extensions.Where(e => e.Type == type))
        {
            found = extension.Data.Length <= maxLength
                ? UpToZero(extension.Data)
                : throw new Qcow2FormatException(
                    $"header extension 0x{type:x8} holds a name of {extension.Data.Length} bytes; {option} allows {maxLength}",
                    path,
                    hostOffset: extension.Offset)
                {
                    Hint = option,
                };
        }

        return found is { IsEmpty: true } ? null : found;
    }

    /// <summary>Names are C strings to QEMU: a zero ends them, and an empty one counts as none.</summary>
    private static ReadOnlyMemory<byte> UpToZero(ReadOnlyMemory<byte> name)
    {
        int end = name.Span.IndexOf((byte)0);
        return end < 0 ? name : name[..end];
    }

    /// <summary>The raw bit promises that the data file alone is the disk, which a backing file would break.</summary>
    private static void CheckRawDataFile(
        Qcow2IncompatibleFeatures incompatible, ulong autoclear, ulong backingOffset, string? path)
    {
        if ((autoclear & HeaderLayout.RawDataFileBit) == 0)
        {
            return;
        }

        if (!incompatible.HasFlag(Qcow2IncompatibleFeatures.ExternalDataFile) || backingOffset != 0)
        {
            throw new Qcow2FormatException(
                "autoclear feature bit 1 (raw external data) is set, but the image has "
                + (backingOffset != 0 ? "a backing file" : "no external data file"),
                path,
                hostOffset: HeaderLayout.AutoclearFeatures);
        }
    }

    private static ReadOnlySpan<byte> Require(ReadOnlySpan<byte> start, int length, string? path) =>
        start.Length >= length ? start : throw Truncated(length, start.Length, path);

    private static Qcow2FormatException Truncated(long needed, long fileLength, string? path) =>
        new($"the header needs {needed} bytes, but the file ends after {fileLength}", path, hostOffset: fileLength);

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64BigEndian(bytes[offset..]);
}
