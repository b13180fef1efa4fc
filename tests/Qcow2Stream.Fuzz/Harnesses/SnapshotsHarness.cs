using Qcow2Stream.Fuzz.Checks;
using Qcow2Stream.Fuzz.Seeding;

namespace Qcow2Stream.Fuzz.Harnesses;

/// <summary>
/// The input is a snapshot table after a byte that says how many entries it has. The snapshots are listed, opened,
/// mapped, read and compared with the active disk.
/// </summary>
internal sealed class SnapshotsHarness : IHarness
{
    private const int MostOpened = 4;
    private const int MostChanges = 2048;
    private const int StateBytes = 4096;
    private const int CountMask = 0x1F;
    private const int LenientBit = 0x20;

    private readonly byte[] _state = new byte[StateBytes];

    public string Name => "snapshots";

    public IEnumerable<KeyValuePair<string, byte[]>> Seeds => SnapshotSeeds.All;

    public void Run(ArraySegment<byte> input)
    {
        if (input.Count == 0)
        {
            return;
        }

        byte[] image = [.. SnapshotSeeds.Template, .. input[1..]];
        image.WriteU32(HeaderField.NbSnapshots, (uint)(input[0] & CountMask));
        Qcow2OpenOptions options = FuzzOptions.Default with { Lenient = (input[0] & LenientBit) != 0 };
        using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image, writable: false), options);
        IReadOnlyList<Qcow2Snapshot> snapshots;
        try
        {
            snapshots = chain.GetSnapshots();
        }
        catch (Qcow2Exception)
        {
            return;
        }

        if (snapshots.Count != (input[0] & CountMask))
        {
            throw new BrokenInvariantException($"{snapshots.Count} snapshots are listed, {input[0] & CountMask} are there");
        }

        foreach (Qcow2Snapshot snapshot in snapshots.Take(MostOpened))
        {
            ReadState(chain, snapshot);
            if (snapshot.Id.Length > 0)
            {
                Walk(image, options with { Snapshot = snapshot.Id });
                Compare(chain, DiskPoint.Snapshot(snapshot.Id), DiskPoint.Active);
                Compare(chain, DiskPoint.Active, DiskPoint.Snapshot(snapshot.Id));
            }
        }
    }

    private static void Walk(byte[] image, Qcow2OpenOptions options)
    {
        try
        {
            using Qcow2Chain chain = Qcow2Chain.Open(new MemoryStream(image, writable: false), options);
            new DiskWalk(chain, _ => image).Run();
        }
        catch (Qcow2Exception)
        {
            // Its tables are damaged.
        }
    }

    private static void Compare(Qcow2Chain chain, DiskPoint from, DiskPoint to)
    {
        try
        {
            long position = 0;
            foreach (MapExtent change in chain.GetChanges(from, to).Take(MostChanges))
            {
                if (change.Start < position || change.Length <= 0)
                {
                    throw new BrokenInvariantException($"the change {change} starts before {position}, or is empty");
                }

                position = change.End;
            }
        }
        catch (Qcow2Exception)
        {
            // Its tables are damaged.
        }
    }

    private void ReadState(Qcow2Chain chain, Qcow2Snapshot snapshot)
    {
        try
        {
            using Stream state = chain.OpenVmState(snapshot);
            if (state.Length != snapshot.VmStateSize)
            {
                throw new BrokenInvariantException($"the state has {state.Length} bytes, not {snapshot.VmStateSize}");
            }

            _ = state.ReadAtLeast(_state, StateBytes, throwOnEndOfStream: false);
        }
        catch (Qcow2Exception)
        {
            // Its tables are damaged.
        }
    }
}
