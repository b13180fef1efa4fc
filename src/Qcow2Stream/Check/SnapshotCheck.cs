using Qcow2Stream.Format;
using Qcow2Stream.Images;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream.Check;

/// <summary>Checks the snapshot table and the tables of every snapshot (section "Snapshots").</summary>
internal static class SnapshotCheck
{
    // QEMU's own limit, also for snapshots.
    private const uint MaxL1Entries = (32 << 20) / L1Entry.Length;

    public static IEnumerable<CheckFinding> Check(CheckRun run)
    {
        Qcow2Header header = run.Image.Header;
        CheckPlace pointer = new("snapshot table", HeaderLayout.SnapshotsOffset);
        List<Qcow2Snapshot> snapshots = Read(run, pointer);
        if (header.HasDataFile && snapshots.Count > 0)
        {
            run.Corrupt(
                CheckFindingKind.SnapshotTable, pointer, $"there are {snapshots.Count} snapshots, which an image with an external data file can't have");
        }

        long position = (long)header.SnapshotsOffset;
        L1Check tables = new(run, isActive: false);
        foreach (Qcow2Snapshot snapshot in snapshots)
        {
            string name = $"snapshot {PrintableText.Escape(snapshot.Id)} ('{PrintableText.Escape(snapshot.Name)}')";
            CheckPlace place = new(name, position, SnapshotId: snapshot.Id);
            position += snapshot.EntryLength;
            if (header.Version >= 3 && snapshot.ExtraDataLength < SnapshotEntry.Version3ExtraData)
            {
                run.Corrupt(
                    CheckFindingKind.SnapshotTable,
                    place,
                    $"it has {snapshot.ExtraDataLength} bytes of extra data; version 3 asks for {SnapshotEntry.Version3ExtraData}");
            }

            if ((snapshot.L1TableOffset & (ulong)run.Geometry.OffsetInClusterMask) != 0)
            {
                run.Corrupt(CheckFindingKind.SnapshotTable, place, $"L1 table offset 0x{snapshot.L1TableOffset:x} is not cluster-aligned");
            }
            else if (snapshot.L1Size > MaxL1Entries)
            {
                run.Corrupt(CheckFindingKind.SnapshotTable, place, $"its L1 table has {snapshot.L1Size} entries; {MaxL1Entries} are allowed");
            }
            else
            {
                foreach (CheckFinding finding in tables.Check(snapshot.L1TableOffset, snapshot.L1Size, place))
                {
                    yield return finding;
                }
            }
        }

        foreach (CheckFinding finding in tables.CheckRepeated())
        {
            yield return finding;
        }

        run.Count(header.SnapshotsOffset, position - (long)header.SnapshotsOffset, ClusterUse.Metadata, pointer);
        foreach (CheckFinding finding in run.Found())
        {
            yield return finding;
        }
    }

    private static List<Qcow2Snapshot> Read(CheckRun run, CheckPlace pointer)
    {
        try
        {
            return SnapshotTable.ReadAsync(run.Image, run.Options, async: false, default).Now();
        }
        catch (Qcow2Exception e) when (e is Qcow2FormatException or Qcow2UnsupportedException)
        {
            run.Unreadable(CheckFindingKind.SnapshotTable, pointer with { HostOffset = e.HostOffset ?? pointer.HostOffset }, e.Problem);
            return [];
        }
    }
}
