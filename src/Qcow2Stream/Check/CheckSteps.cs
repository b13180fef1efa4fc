using Qcow2Stream.Format;

namespace Qcow2Stream.Check;

/// <summary>What a check looks at, in this order: references are counted first, and compared with the refcounts last.</summary>
internal static class CheckSteps
{
    /// <summary>The steps, each lazy. Their findings come in order.</summary>
    public static IEnumerable<IEnumerable<CheckFinding>> Of(CheckRun run)
    {
        HeaderCheck.Check(run);
        Qcow2Header header = run.Image.Header;
        L1Check active = new(run, isActive: true);
        return
        [
            active.Check((ulong)header.L1TableOffset, header.L1Size, new CheckPlace("L1 table", HeaderLayout.L1TableOffset)),
            active.CheckRepeated(),
            SnapshotCheck.Check(run),
            BitmapCheck.Check(run),
            RefcountCheck.CheckTable(run),
            RefcountCheck.Compare(run),
        ];
    }
}
