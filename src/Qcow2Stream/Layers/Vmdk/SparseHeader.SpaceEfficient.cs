using System.Buffers.Binary;
using Qcow2Stream.Format;

namespace Qcow2Stream.Layers.Vmdk;

/// <content>
/// The space-efficient sparse extents of newer servers (seSparse). VMware does not document them: what isn't known to be right is refused, as by QEMU.
/// </content>
internal sealed partial record SparseHeader
{
    private static SparseHeader OfSpaceEfficient(HostFile file, Span<byte> header)
    {
        if (file.ReadAt(0, header) < header.Length || Wide(header, 0) != VmdkLayout.SpaceEfficientMagic)
        {
            throw new Qcow2FormatException("the header of a sparse extent is missing", file.Path, hostOffset: 0);
        }

        ReadOnlySpan<byte> reserved = header[VmdkLayout.SpaceEfficientReserved..VmdkLayout.VolatileHeaderOffset];
        bool isKnown = Wide(header, VmdkLayout.SpaceEfficientVersionField) == VmdkLayout.SpaceEfficientVersion
            && Wide(header, VmdkLayout.SpaceEfficientGrainSize) == VmdkLayout.SpaceEfficientGrainSectors
            && Wide(header, VmdkLayout.SpaceEfficientTableSize) == VmdkLayout.SpaceEfficientTableSectors
            && Wide(header, VmdkLayout.SpaceEfficientFlags) == 0
            && !reserved.ContainsAnyExcept((byte)0)
            && !header[VmdkLayout.SpaceEfficientPadding..].ContainsAnyExcept((byte)0);
        if (!isKnown)
        {
            throw Unhandled(file, "kind of space-efficient extent", "a space-efficient extent is not of the one kind that is known", 0);
        }

        CheckVolatileHeader(file, Offset(Long(header, VmdkLayout.VolatileHeaderOffset)));
        SparseHeader judged = Judged(
            file,
            0,
            new SparseHeader
            {
                Capacity = Long(header, VmdkLayout.SpaceEfficientCapacity),
                GrainSectors = VmdkLayout.SpaceEfficientGrainSectors,
                TableEntries = VmdkLayout.SpaceEfficientTableSectors * Sector.Size / sizeof(ulong),
                DirectoryOffset = Offset(Long(header, VmdkLayout.SpaceEfficientDirectoryOffset)),
                Places = new SpaceEfficientPlaces(
                    OffsetInFile(file, Long(header, VmdkLayout.SpaceEfficientTablesOffset), VmdkLayout.SpaceEfficientTablesOffset),
                    OffsetInFile(file, Long(header, VmdkLayout.SpaceEfficientGrainsOffset), VmdkLayout.SpaceEfficientGrainsOffset)),
            });
        long entries = Offset(Long(header, VmdkLayout.SpaceEfficientDirectorySize)) / sizeof(ulong);
        return entries >= judged.Tables
            ? judged
            : throw new Qcow2FormatException(
                $"the grain directory has {entries} entries, and the extent takes {judged.Tables}",
                file.Path,
                hostOffset: VmdkLayout.SpaceEfficientDirectorySize);
    }

    private static void CheckVolatileHeader(HostFile file, long place)
    {
        Span<byte> header = stackalloc byte[Sector.Size];
        if (place < 0 || file.ReadAt(place, header) < header.Length || Wide(header, 0) != VmdkLayout.VolatileMagic)
        {
            throw new Qcow2FormatException(
                "the volatile header of a space-efficient extent is missing", file.Path, hostOffset: VmdkLayout.VolatileHeaderOffset);
        }

        if (Wide(header, VmdkLayout.ReplayJournal) != 0)
        {
            throw Unhandled(file, "journal of a space-efficient extent", "a space-efficient extent was not closed: its journal is to be replayed", place);
        }

        if (header[VmdkLayout.VolatilePadding..].ContainsAnyExcept((byte)0))
        {
            throw Unhandled(file, "kind of space-efficient extent", "a space-efficient extent is not of the one kind that is known", place);
        }
    }

    private static long OffsetInFile(HostFile file, long sector, int field) => Offset(sector) is var offset and >= 0 && offset <= file.GetLength()
        ? offset
        : throw new Qcow2FormatException($"the tables or grains from sector {sector} on do not lie inside the file", file.Path, hostOffset: field);

    private static Qcow2UnsupportedException Unhandled(HostFile file, string feature, string problem, long place) =>
        new($"{feature} in format vmdk", $"{problem}, which is not handled", file.Path, place);

    private static ulong Wide(ReadOnlySpan<byte> header, int at) => BinaryPrimitives.ReadUInt64LittleEndian(header[at..]);
}
