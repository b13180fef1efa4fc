using System.Buffers.Binary;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>The tables of a sparse VMDK extent: grain directory → grain tables → grains ("Virtual Disk Format", hosted and ESX Server sparse extents).</summary>
internal static class VmdkTables
{
    /// <summary>The length of the header of a compressed grain: where its grain is, and how many bytes follow.</summary>
    public const int GrainHeaderLength = 12;

    /// <summary>Where in that header the number of bytes is.</summary>
    public const int GrainHeaderSize = 8;

    private static ReadOnlySpan<byte> HostedMagic => "KDMV"u8;

    private static ReadOnlySpan<byte> ServerMagic => "COWD"u8;

    private const int Flags = 8;
    private const int Capacity = 12;
    private const int DescriptorOffset = 28;
    private const int DescriptorSize = 36;
    private const int DirectoryOffset = 56;
    private const int RedundantDirectoryOffset = 48;
    private const int CompressAlgorithm = 77;
    private const int ServerFields = 12;
    private const int ServerTableEntries = 4096;
    private const uint HasRedundantTables = 1 << 1;
    private const uint HasZeroedGrains = 1 << 2;
    private const uint HasCompressedGrains = 1 << 16;

    // The header is then in the last two sectors, in front of the end-of-stream marker.
    private const long DirectoryAtEnd = -1;
    private const int FooterFromEnd = 1024;

    // DiscUtils keeps twenty grain tables, with the one at hand.
    private const int TablesKept = 21;

    // An entry of the directory as it is read, and the same as a number.
    private const int BytesPerTable = 8;

    // 64 KiB in all images that tools make; it is inflated as a whole, for any byte of it.
    private const int MaxCompressedGrain = 2 << 20;

    /// <summary>Where a file has its descriptor: a hosted extent where its header says, any other file from its first byte on.</summary>
    /// <returns>In bytes; a length of 0 if the header says that there is none.</returns>
    /// <exception cref="Qcow2FormatException">It would lie outside the file.</exception>
    public static (long Place, long Length) DescriptorOf(HostFile file)
    {
        long fileLength = file.GetLength();
        Span<byte> header = stackalloc byte[Sector.Size];
        if (!TryRead(file, 0, HostedMagic, header))
        {
            return (0, fileLength);
        }

        long sector = BinaryPrimitives.ReadInt64LittleEndian(header[DescriptorOffset..]);
        long sectors = BinaryPrimitives.ReadInt64LittleEndian(header[DescriptorSize..]);
        bool isInside = sector >= 0 && sectors >= 0 && sectors <= (fileLength / Sector.Size) - sector;
        return sector == 0 ? (0, 0)
            : isInside ? (sector * Sector.Size, sectors * Sector.Size)
            : throw new Qcow2FormatException(
                $"the descriptor of {sectors} sectors from sector {sector} on does not lie inside the file", file.Path, hostOffset: DescriptorOffset);
    }

    /// <summary>Judges a sparse extent that DiscUtils is going to read.</summary>
    /// <param name="file">The file that it is in.</param>
    /// <param name="memory">Adds up what its tables take.</param>
    /// <param name="described">What the descriptor says of it: also whether it is one of a host (Workstation and such), or of a server (ESX).</param>
    /// <param name="isLast">Whether the disk ends with it.</param>
    /// <returns>The largest header-and-data of a compressed grain, in bytes, for a file with such; otherwise null.</returns>
    /// <exception cref="Qcow2FormatException">It is none, or a field contradicts the format, or the file.</exception>
    /// <exception cref="Qcow2UnsupportedException">The tables take more memory than is allowed, or DiscUtils would misread the image.</exception>
    public static int? Judge(HostFile file, TableMemory memory, VmdkExtent described, bool isLast)
    {
        Span<byte> header = stackalloc byte[Sector.Size];
        if (described.IsServers)
        {
            Read(file, 0, ServerMagic, header);
            JudgeServer(file, memory, header).JudgeSize(described.Sectors, isLast);
            return null;
        }

        long place = 0;
        Read(file, place, HostedMagic, header);
        RefuseZeroedGrains(file, header, place);
        if (BinaryPrimitives.ReadInt64LittleEndian(header[DirectoryOffset..]) == DirectoryAtEnd)
        {
            place = file.GetLength() - FooterFromEnd;
            Read(file, place, HostedMagic, header);
            RefuseZeroedGrains(file, header, place);
        }

        Extent extent = JudgeHosted(file, memory, header, place);
        extent.JudgeSize(described.Sectors, isLast);
        return extent.MostGrain == MaxCompressedGrain ? MaxCompressedGrain * 2 : null;
    }

    private static bool TryRead(HostFile file, long place, ReadOnlySpan<byte> magic, Span<byte> header) =>
        place >= 0 && file.ReadAt(place, header) == header.Length && header.StartsWith(magic);

    /// <summary>Reads a header; DiscUtils doesn't look at its magic, and takes its fields from whatever is there.</summary>
    private static void Read(HostFile file, long place, ReadOnlySpan<byte> magic, Span<byte> header)
    {
        if (!TryRead(file, place, magic, header))
        {
            throw new Qcow2FormatException("the header of a sparse extent is missing", file.Path, hostOffset: Math.Max(0, place));
        }
    }

    private static Extent JudgeHosted(HostFile file, TableMemory memory, ReadOnlySpan<byte> header, long place)
    {
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(header[Flags..]);
        bool isCompressed = (flags & HasCompressedGrains) != 0;
        if (isCompressed != (BinaryPrimitives.ReadUInt16LittleEndian(header[CompressAlgorithm..]) != 0))
        {
            // DiscUtils goes by the flag, and QEMU by the algorithm.
            throw new Qcow2FormatException(
                "the header says in one place that grains are compressed, and in another that they are not", file.Path, hostOffset: place + CompressAlgorithm);
        }

        Extent extent = new(
            file,
            memory,
            place,
            Capacity: BinaryPrimitives.ReadInt64LittleEndian(header[Capacity..]),
            GrainSectors: BinaryPrimitives.ReadInt64LittleEndian(header[20..]),
            TableEntries: BinaryPrimitives.ReadUInt32LittleEndian(header[44..]),
            MostGrain: isCompressed ? MaxCompressedGrain : int.MaxValue);
        extent.Judge();
        extent.JudgeDirectory("the grain directory", BinaryPrimitives.ReadInt64LittleEndian(header[DirectoryOffset..]), place + DirectoryOffset);
        if ((flags & HasRedundantTables) != 0)
        {
            extent.JudgeDirectory(
                "the redundant grain directory", BinaryPrimitives.ReadInt64LittleEndian(header[RedundantDirectoryOffset..]), place + RedundantDirectoryOffset);
        }

        return extent;
    }

    private static Extent JudgeServer(HostFile file, TableMemory memory, ReadOnlySpan<byte> header)
    {
        ReadOnlySpan<byte> fields = header[ServerFields..];
        Extent extent = new(
            file,
            memory,
            Place: 0,
            Capacity: BinaryPrimitives.ReadUInt32LittleEndian(fields),
            GrainSectors: BinaryPrimitives.ReadUInt32LittleEndian(fields[4..]),
            ServerTableEntries,
            MostGrain: int.MaxValue);
        extent.Judge();
        extent.JudgeDirectory("the grain directory", BinaryPrimitives.ReadUInt32LittleEndian(fields[8..]), ServerFields + 8);
        return extent;
    }

    /// <summary>DiscUtils takes the entry of a grain of zeros for the place of its data; so an image that may have such is not read.</summary>
    private static void RefuseZeroedGrains(HostFile file, ReadOnlySpan<byte> header, long place)
    {
        if ((BinaryPrimitives.ReadUInt32LittleEndian(header[Flags..]) & HasZeroedGrains) != 0)
        {
            throw new Qcow2UnsupportedException(
                "zeroed grains in format vmdk", "the image uses a feature that is not handled: zeroed grains in format vmdk", file.Path, place + Flags);
        }
    }

    private readonly record struct Extent(
        HostFile File, TableMemory Memory, long Place, long Capacity, long GrainSectors, long TableEntries, long MostGrain)
    {
        private long Coverage => GrainSectors * TableEntries * Sector.Size;

        /// <summary>DiscUtils counts the bytes of a grain, and those that a table covers, in 32 bits with a sign.</summary>
        public void Judge()
        {
            if (Capacity is < 0 or > VmdkExtent.MaxSectors)
            {
                throw new Qcow2FormatException($"the capacity of {Capacity} sectors is not possible", File.Path, hostOffset: Place);
            }

            if (GrainSectors <= 0 || GrainSectors > MostGrain / Sector.Size)
            {
                throw new Qcow2FormatException(
                    $"the grain size is {GrainSectors} sectors; it must be from 1 to {MostGrain / Sector.Size}", File.Path, hostOffset: Place);
            }

            if (TableEntries == 0 || TableEntries > int.MaxValue / (GrainSectors * Sector.Size))
            {
                throw new Qcow2FormatException(
                    $"a grain table of {TableEntries} entries for grains of {GrainSectors} sectors covers more than 2 GiB, or nothing",
                    File.Path,
                    hostOffset: Place);
            }

            Memory.Charge(TableEntries * sizeof(uint) * TablesKept, $"grain tables of {TableEntries} entries", File, Place);
        }

        /// <summary>
        /// QEMU goes by the header's size, and DiscUtils in part by the descriptor's. There are tools that round up the header's to whole grains, which moves
        /// nothing at the end of a disk (<see cref="ForeignDisk"/> looks at what is kept there).
        /// </summary>
        /// <param name="sectors">The size in the descriptor.</param>
        /// <param name="isLast">Whether the disk ends with the extent.</param>
        public void JudgeSize(long sectors, bool isLast)
        {
            long rounded = (sectors + GrainSectors - 1) / GrainSectors * GrainSectors;
            if (Capacity != sectors && !(isLast && Capacity == rounded))
            {
                throw new Qcow2FormatException(
                    $"the extent has {sectors} sectors by the descriptor, and {Capacity} by its header", File.Path, hostOffset: Place + VmdkTables.Capacity);
            }
        }

        public void JudgeDirectory(string what, long sector, long place)
        {
            long tables = ((Capacity * Sector.Size) + Coverage - 1) / Coverage;
            long length = tables * sizeof(uint);
            Memory.ChargeTable(
                sector is < 0 or > VmdkExtent.MaxSectors ? -1 : sector * Sector.Size, length, tables * BytesPerTable, $"{what} of {tables} entries", File, place);
        }
    }
}
