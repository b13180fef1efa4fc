using Qcow2Stream;

namespace ReadmeExamples;

/// <summary>Copies into a backup what changed since a snapshot.</summary>
internal static class BringUpToDate
{
    public static void Run()
    {
        using Qcow2Chain chain = Qcow2Chain.Open("disk.qcow2");
        using FileStream backup = File.OpenWrite("backup.raw");
        foreach (MapExtent change in chain.GetChanges(DiskPoint.Snapshot("first"), DiskPoint.Active))
        {
            backup.Position = change.Start;
            chain.CopyTo(change.Start, change.Length, backup);
        }

        backup.SetLength(chain.Length);
    }
}
