using Qcow2Stream.Format;
using Shared;

namespace Qcow2Stream.Images;

/// <summary>
/// What one of an image's L1 tables leads to, checked: its active disk, a snapshot's disk, or a snapshot's saved
/// machine state.
/// </summary>
internal sealed class DiskTables
{
    private DiskTables(Qcow2Snapshot? snapshot, L1Location l1, long start, long length)
    {
        Snapshot = snapshot;
        L1 = l1;
        Start = start;
        Length = length;
    }

    /// <summary>The snapshot; null for the active disk.</summary>
    public Qcow2Snapshot? Snapshot { get; }

    public L1Location L1 { get; }

    /// <summary>Where it starts in what the L1 table describes, in bytes: only a VM state lies after something else.</summary>
    public long Start { get; }

    /// <summary>How long it is, in bytes.</summary>
    public long Length { get; }

    public static DiskTables Active(Qcow2Image image) => new(
        null, new L1Location(image.Header.L1TableOffset, image.Header.L1Size), start: 0, image.Header.Size & ~(Sector.Size - 1));

    /// <exception cref="Qcow2FormatException">The snapshot's L1 table is misplaced or too small for its disk.</exception>
    /// <exception cref="Qcow2UnsupportedException">The L1 table is larger than <paramref name="maxL1TableBytes"/>.</exception>
    public static DiskTables Of(Qcow2Image image, Qcow2Snapshot snapshot, int maxL1TableBytes)
    {
        L1Location l1 = CheckedL1(image, snapshot, image.Geometry.L1EntriesFor(snapshot.DiskSize), maxL1TableBytes);
        return new DiskTables(snapshot, l1, start: 0, snapshot.DiskSize & ~(Sector.Size - 1));
    }

    /// <summary>The VM state lies after the disk, from the next L1 entry on.</summary>
    /// <inheritdoc cref="Of"/>
    public static DiskTables VmStateOf(Qcow2Image image, Qcow2Snapshot snapshot, int maxL1TableBytes)
    {
        Geometry geometry = image.Geometry;
        long diskEntries = geometry.L1EntriesFor(snapshot.DiskSize);
        L1Location l1 = CheckedL1(image, snapshot, diskEntries + geometry.L1EntriesFor(snapshot.VmStateSize), maxL1TableBytes);
        return diskEntries <= (long.MaxValue - snapshot.VmStateSize) / geometry.L2Coverage
            ? new DiskTables(snapshot, l1, diskEntries * geometry.L2Coverage, snapshot.VmStateSize)
            : throw Error(image, snapshot, $"a VM state of {snapshot.VmStateSize} bytes after a disk of {snapshot.DiskSize} ends past 2^63");
    }

    private static L1Location CheckedL1(Qcow2Image image, Qcow2Snapshot snapshot, long neededEntries, int maxL1TableBytes)
    {
        long bytes = (long)snapshot.L1Size * L1Entry.Length;
        if (bytes > maxL1TableBytes)
        {
            throw new Qcow2UnsupportedException(
                "large L1 table",
                $"snapshot '{PrintableText.Escape(snapshot.Name)}': its L1 table would take {bytes} bytes, more than the {maxL1TableBytes} that MaxL1TableBytes allows",
                image.File.Path)
            {
                Hint = nameof(Qcow2OpenOptions.MaxL1TableBytes),
            };
        }

        if (snapshot.L1Size < neededEntries)
        {
            throw Error(image, snapshot, $"its L1 table has {snapshot.L1Size} entries; {neededEntries} are needed");
        }

        if (snapshot.L1TableOffset > long.MaxValue || !image.Geometry.IsClusterAligned((long)snapshot.L1TableOffset))
        {
            throw Error(image, snapshot, $"L1 table offset 0x{snapshot.L1TableOffset:x} is not cluster-aligned");
        }

        long offset = (long)snapshot.L1TableOffset;
        long fileLength = image.FileLengthFor(offset > long.MaxValue - bytes ? long.MaxValue : offset + bytes);
        if (bytes > 0 && offset > fileLength - bytes)
        {
            image.Damaged(
                Error(image, snapshot, $"the L1 table at 0x{offset:x} does not lie inside the file of {fileLength} bytes"), snapshot.DiskSize);
        }

        return new L1Location(offset, (int)snapshot.L1Size);
    }

    private static Qcow2FormatException Error(Qcow2Image image, Qcow2Snapshot snapshot, string problem) =>
        new($"snapshot '{PrintableText.Escape(snapshot.Name)}': {problem}", image.File.Path);
}
