using Qcow2Stream.Format;

namespace Qcow2Stream.Translation;

/// <summary>One of the disks that an image holds, the active one or a snapshot's: its size and its L1 table, checked.</summary>
internal sealed class Qcow2Disk
{
    // QEMU's unit: a disk's size is rounded down to it.
    private const long SectorSize = 512;

    /// <summary>Takes the active disk, or a snapshot's.</summary>
    /// <exception cref="Qcow2FormatException">The snapshot's L1 table is misplaced or too small for its disk.</exception>
    public Qcow2Disk(Qcow2Image image, Qcow2Snapshot? snapshot)
    {
        Snapshot = snapshot;
        if (snapshot is null)
        {
            L1 = new L1Location(image.Header.L1TableOffset, image.Header.L1Size);
            Length = image.Header.Size & ~(SectorSize - 1);
        }
        else
        {
            L1 = CheckedL1(image, snapshot);
            Length = snapshot.DiskSize & ~(SectorSize - 1);
        }
    }

    public Qcow2Snapshot? Snapshot { get; }

    public L1Location L1 { get; }

    public long Length { get; }

    /// <summary>The L1 table of a snapshot, checked to cover its disk, and its VM state too if asked.</summary>
    public static L1Location CheckedL1(Qcow2Image image, Qcow2Snapshot snapshot, bool withVmState = false)
    {
        Qcow2FormatException Error(string problem) =>
            new($"snapshot '{PrintableText.Escape(snapshot.Name)}': {problem}", image.File.Path);

        long bytes = (long)snapshot.L1Size * L1Entry.Length;
        if (bytes > int.MaxValue)
        {
            throw Error($"its L1 table would take {bytes} bytes");
        }

        long needed = image.Geometry.L1EntriesFor(snapshot.DiskSize)
            + (withVmState ? image.Geometry.L1EntriesFor(snapshot.VmStateSize) : 0);
        if (snapshot.L1Size < needed)
        {
            throw Error($"its L1 table has {snapshot.L1Size} entries; {needed} are needed");
        }

        if (snapshot.L1TableOffset > long.MaxValue || !image.Geometry.IsClusterAligned((long)snapshot.L1TableOffset))
        {
            throw Error($"L1 table offset 0x{snapshot.L1TableOffset:x} is not cluster-aligned");
        }

        long end = (long)snapshot.L1TableOffset + bytes;
        long fileLength = end < 0 ? 0 : image.FileLengthFor(end);
        if (bytes > 0 && (end < 0 || end > fileLength))
        {
            image.Damaged(Error($"the L1 table at 0x{snapshot.L1TableOffset:x} does not lie inside the file of {fileLength} bytes"), snapshot.DiskSize);
        }

        return new L1Location((long)snapshot.L1TableOffset, (int)snapshot.L1Size);
    }
}
