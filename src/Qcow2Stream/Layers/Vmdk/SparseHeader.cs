using System.Buffers.Binary;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>
/// The header of a sparse extent, and so the sizes of its tables: grain directory → grain tables → grains ("Virtual Disk Format", hosted and ESX
/// Server sparse extents). A value of it is within the limits that are kept here.
/// </summary>
internal sealed partial record SparseHeader
{
    /// <summary>The entry of a grain that is not stored, or of a table that isn't there.</summary>
    public const ulong Unallocated = 0;

    /// <summary>The entry of a grain of zeros. Nothing is stored there: grains start at sectors.</summary>
    public const ulong Zeroed = 1;

    /// <summary>An entry that the format does not know.</summary>
    public const ulong Unknown = ulong.MaxValue;

    // As in QEMU, where these are the sizes above which an image is taken for damaged.
    private const long MostGrainSectors = 1 << 21;
    private const int MostTableEntries = 512;
    private const int MostTables = 32 << 20;
    private const uint LastVersion = 3;

    // 64 KiB in all images that tools make; it is inflated as a whole, for any byte of it.
    private const long MostCompressedGrainSectors = (2 << 20) / Sector.Size;

    /// <summary>The size in sectors that the header gives.</summary>
    public required long Capacity { get; init; }

    /// <summary>The size of a grain, in sectors.</summary>
    public required long GrainSectors { get; init; }

    /// <summary>The number of entries of a grain table.</summary>
    public required int TableEntries { get; init; }

    /// <summary>Where the grain directory is, in bytes.</summary>
    public required long DirectoryOffset { get; init; }

    /// <summary>Whether an entry can say that its grain is zeros.</summary>
    public bool HasZeroedGrains { get; init; }

    /// <summary>Whether grains are compressed.</summary>
    public bool IsCompressed { get; init; }

    /// <summary>Whether a compressed grain has a header of its own, with its length.</summary>
    public bool HasMarkers { get; init; }

    /// <summary>Where a space-efficient extent has its tables and its grains, in bytes; null for other extents.</summary>
    public SpaceEfficientPlaces? Places { get; init; }

    /// <summary>The length of an entry of a table, in bytes.</summary>
    public int EntryLength => Places is null ? sizeof(uint) : sizeof(ulong);

    /// <summary>The size of a grain, in bytes.</summary>
    public long GrainLength => GrainSectors * Sector.Size;

    /// <summary>What the grains of a table have, in bytes.</summary>
    public long TableCoverage => GrainLength * TableEntries;

    /// <summary>The number of grain tables.</summary>
    public int Tables { get; private init; }

    /// <summary>Where a file that begins as a hosted extent has its descriptor.</summary>
    /// <param name="file">The file.</param>
    /// <param name="header">Its first sector.</param>
    /// <param name="hasData">Whether the file is an extent, and not only a place for a descriptor.</param>
    /// <exception cref="Qcow2FormatException">The descriptor would lie outside the file.</exception>
    /// <exception cref="Qcow2UnsupportedException">It lies where nobody puts it, and QEMU does not look.</exception>
    public static (long Place, long Length) DescriptorOf(HostFile file, ReadOnlySpan<byte> header, out bool hasData)
    {
        hasData = Long(header, VmdkLayout.Capacity) != 0;
        long sector = Long(header, VmdkLayout.DescriptorOffset);
        long sectors = Long(header, VmdkLayout.DescriptorSize);
        if (sector < 0 || sectors < 0 || sectors > (file.GetLength() / Sector.Size) - sector)
        {
            throw new Qcow2FormatException(
                $"the descriptor of {sectors} sectors from sector {sector} on does not lie inside the file",
                file.Path,
                hostOffset: VmdkLayout.DescriptorOffset);
        }

        return sector == 1
            ? (Sector.Size, sectors * Sector.Size)
            : throw new Qcow2UnsupportedException(
                "descriptor elsewhere in format vmdk",
                $"the image has its descriptor at sector {sector}, and not in the second one, which is not handled",
                file.Path,
                VmdkLayout.DescriptorOffset);
    }

    /// <summary>Reads the header of an extent of one of the sparse kinds.</summary>
    /// <param name="file">The file that it is in.</param>
    /// <param name="extent">Says which kind.</param>
    /// <exception cref="Qcow2FormatException">It is none, or a field contradicts the format, or the file.</exception>
    /// <exception cref="Qcow2UnsupportedException">It is of a version that isn't known, or has very many tables.</exception>
    public static SparseHeader Read(HostFile file, ExtentLine extent)
    {
        Span<byte> header = stackalloc byte[Sector.Size];
        if (extent.IsSpaceEfficient)
        {
            return OfSpaceEfficient(file, header);
        }

        if (extent.IsServers)
        {
            Read(file, 0, VmdkLayout.ServerMagic, header);
            return OfServer(file, header);
        }

        long place = 0;
        Read(file, place, VmdkLayout.HostedMagic, header);
        if (Long(header, VmdkLayout.DirectoryOffset) == VmdkLayout.DirectoryAtEnd)
        {
            place = FooterOf(file);
            Read(file, place, VmdkLayout.HostedMagic, header);
        }

        return OfHost(file, header, place);
    }

    /// <summary>Where a table is, by its entry in the directory.</summary>
    /// <returns>In bytes; or <see cref="Unallocated"/>, or <see cref="Unknown"/>.</returns>
    public ulong Table(ulong entry) => Places is { } places ? places.Table(entry) : entry * Sector.Size;

    /// <summary>Where a grain is, by its entry in a table.</summary>
    /// <returns>In bytes; or <see cref="Unallocated"/>, <see cref="Zeroed"/> or <see cref="Unknown"/>.</returns>
    public ulong Grain(ulong entry) =>
        Places is { } places ? places.Grain(entry)
        : HasZeroedGrains && entry == VmdkLayout.ZeroedGrain ? Zeroed
        : entry * Sector.Size;

    /// <summary>Where the header is that has the place of the directory: between two markers.</summary>
    private static long FooterOf(HostFile file)
    {
        long start = ((file.GetLength() + Sector.Size - 1) & -Sector.Size) - VmdkLayout.FooterFromEnd;
        Span<byte> sectors = stackalloc byte[VmdkLayout.FooterFromEnd];
        sectors.Clear();
        if (start >= 0)
        {
            file.ReadAt(start, sectors);
        }

        ReadOnlySpan<byte> first = sectors;
        ReadOnlySpan<byte> last = sectors[(2 * Sector.Size)..];
        return start >= 0
            && Word(first, VmdkLayout.MarkerSize) == 0
            && Word(first, VmdkLayout.MarkerType) == VmdkLayout.FooterMarker
            && Long(last, VmdkLayout.MarkerValue) == 0
            && Word(last, VmdkLayout.MarkerSize) == 0
            && Word(last, VmdkLayout.MarkerType) == VmdkLayout.EndOfStreamMarker
                ? start + Sector.Size
                : throw new Qcow2FormatException("the footer of a stream-optimized extent is missing", file.Path, hostOffset: Math.Max(0, start));
    }

    /// <summary>Reads a header that begins as it has to.</summary>
    private static void Read(HostFile file, long place, ReadOnlySpan<byte> magic, Span<byte> header)
    {
        if (file.ReadAt(place, header) < header.Length || !header.StartsWith(magic))
        {
            throw new Qcow2FormatException("the header of a sparse extent is missing", file.Path, hostOffset: place);
        }
    }

    private static SparseHeader OfHost(HostFile file, ReadOnlySpan<byte> header, long place)
    {
        uint version = Word(header, VmdkLayout.Version);
        if (version > LastVersion)
        {
            throw new Qcow2UnsupportedException(
                $"version {version} of format vmdk",
                $"an extent is of version {version} of the format; those up to {LastVersion} are handled",
                file.Path,
                place + VmdkLayout.Version);
        }

        uint flags = Word(header, VmdkLayout.Flags);
        ushort algorithm = BinaryPrimitives.ReadUInt16LittleEndian(header[VmdkLayout.CompressAlgorithm..]);
        bool isCompressed = (flags & VmdkLayout.HasCompressedGrains) != 0;
        if (isCompressed != (algorithm != 0))
        {
            // Readers go by one or the other.
            throw new Qcow2FormatException(
                "the header says in one place that grains are compressed, and in another that they are not",
                file.Path,
                hostOffset: place + VmdkLayout.CompressAlgorithm);
        }

        if (algorithm > VmdkLayout.Deflate)
        {
            throw new Qcow2UnsupportedException(
                $"compression algorithm {algorithm} in format vmdk",
                $"grains are compressed by the algorithm {algorithm}, which is not handled",
                file.Path,
                place + VmdkLayout.CompressAlgorithm);
        }

        long overhead = Long(header, VmdkLayout.Overhead);
        long fileSectors = (file.GetLength() + Sector.Size - 1) / Sector.Size;
        if (overhead < 0 || overhead > fileSectors)
        {
            throw new Qcow2FormatException(
                $"the file ends early: its metadata has {overhead} sectors, and the file {fileSectors}",
                file.Path,
                hostOffset: place + VmdkLayout.Overhead);
        }

        uint entries = Word(header, VmdkLayout.TableEntries);
        if (entries is 0 or > MostTableEntries)
        {
            throw new Qcow2FormatException(
                $"a grain table has {entries} entries; it must have from 1 to {MostTableEntries}", file.Path, hostOffset: place + VmdkLayout.TableEntries);
        }

        return Judged(
            file,
            place,
            new SparseHeader
            {
                Capacity = Long(header, VmdkLayout.Capacity),
                GrainSectors = Long(header, VmdkLayout.GrainSize),
                TableEntries = (int)entries,
                DirectoryOffset = Offset(Long(header, VmdkLayout.DirectoryOffset)),
                HasZeroedGrains = (flags & VmdkLayout.HasZeroedGrains) != 0,
                IsCompressed = isCompressed,
                HasMarkers = (flags & VmdkLayout.HasMarkers) != 0,
            });
    }

    private static SparseHeader OfServer(HostFile file, ReadOnlySpan<byte> header)
    {
        SparseHeader judged = Judged(
            file,
            0,
            new SparseHeader
            {
                Capacity = Word(header, VmdkLayout.ServerCapacity),
                GrainSectors = Word(header, VmdkLayout.ServerGrainSize),
                TableEntries = VmdkLayout.ServerTableEntries,
                DirectoryOffset = Offset(Word(header, VmdkLayout.ServerDirectoryOffset)),
            });
        uint entries = Word(header, VmdkLayout.ServerDirectoryEntries);
        return entries >= judged.Tables
            ? judged
            : throw new Qcow2FormatException(
                $"the grain directory has {entries} entries, and the extent takes {judged.Tables}", file.Path, hostOffset: VmdkLayout.ServerDirectoryEntries);
    }

    private static SparseHeader Judged(HostFile file, long place, SparseHeader header)
    {
        if (header.Capacity is < 0 or > ExtentLine.MaxSectors)
        {
            throw new Qcow2FormatException($"the capacity of {header.Capacity} sectors is not possible", file.Path, hostOffset: place);
        }

        long most = header.IsCompressed ? MostCompressedGrainSectors : MostGrainSectors;
        if (header.GrainSectors <= 0 || header.GrainSectors > most)
        {
            throw new Qcow2FormatException($"the grain size is {header.GrainSectors} sectors; it must be from 1 to {most}", file.Path, hostOffset: place);
        }

        long tables = (header.Capacity / (header.TableCoverage / Sector.Size)) + (header.Capacity % (header.TableCoverage / Sector.Size) == 0 ? 0 : 1);
        if (tables > MostTables)
        {
            throw new Qcow2UnsupportedException(
                "large tables in format vmdk", $"an extent has {tables} grain tables; {MostTables} are the most that are handled", file.Path, place);
        }

        long fileLength = file.GetLength();
        long length = tables * header.EntryLength;
        return header.DirectoryOffset >= 0 && header.DirectoryOffset <= fileLength - length
            ? header with { Tables = (int)tables }
            : throw new Qcow2FormatException(
                $"the grain directory of {tables} entries at 0x{header.DirectoryOffset:x} does not lie inside the file of {fileLength} bytes",
                file.Path,
                hostOffset: place);
    }

    /// <summary>A sector in bytes; -1 where no file has it.</summary>
    private static long Offset(long sector) => sector is < 0 or > ExtentLine.MaxSectors ? -1 : sector * Sector.Size;

    private static long Long(ReadOnlySpan<byte> header, int at) => BinaryPrimitives.ReadInt64LittleEndian(header[at..]);

    private static uint Word(ReadOnlySpan<byte> header, int at) => BinaryPrimitives.ReadUInt32LittleEndian(header[at..]);
}
