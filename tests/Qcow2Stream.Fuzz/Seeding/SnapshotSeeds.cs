using System.Text;

namespace Qcow2Stream.Fuzz.Seeding;

/// <summary>Snapshot tables, and the image that they go after.</summary>
internal static class SnapshotSeeds
{
    private const int ClusterSize = 512;
    private const int DiskSize = 64 * ClusterSize;
    private const int L1Entries = 4;

    static SnapshotSeeds()
    {
        Qcow2Image active = new Qcow2Builder
        {
            ClusterBits = 9,
            Size = DiskSize,
            L1Size = 1,
            Clusters =
            [
                GuestClusters.Data(0, 0x10, count: 3),
                GuestClusters.Zero(4),
                GuestClusters.ZeroAllocated(5),
                GuestClusters.Compressed(6, 0x60, count: 2),
                GuestClusters.Data(20, 0x20),
            ],
        }.Build();
        byte[] image = active.ToBytes();

        // The snapshots' own L1 table, an L2 table for the disk, one for the machine's state, and a cluster for both.
        OwnL1Offset = (image.Length + ClusterSize - 1) / ClusterSize * ClusterSize;
        int diskL2 = OwnL1Offset + ClusterSize;
        int stateL2 = diskL2 + ClusterSize;
        int data = stateL2 + ClusterSize;
        Array.Resize(ref image, data + ClusterSize);
        image.WriteU64(OwnL1Offset, (ulong)diskL2).WriteU64(OwnL1Offset + 8, (ulong)stateL2);
        image.WriteU64(diskL2, (ulong)data).WriteU64(diskL2 + 8, (ulong)active.HostOffsetOf(1)!.Value);
        image.WriteU64(stateL2, (ulong)data).WriteU64(stateL2 + 16, 1);
        image.AsSpan(data).Fill(0x5D);
        image.WriteU64(HeaderField.SnapshotsOffset, (ulong)image.Length);
        ActiveL1Offset = (int)active.L1Offset;
        Template = image;
    }

    /// <summary>A good image but for its snapshot table, which starts where it ends.</summary>
    public static byte[] Template { get; }

    public static IEnumerable<KeyValuePair<string, byte[]>> All
    {
        get
        {
            byte[] own = Entry(OwnL1Offset, L1Entries, "1", "own", stateSize: 1024, extra: 16);
            byte[] same = Entry(ActiveL1Offset, 1, "2", "same", stateSize: 0, extra: 24);
            byte[] bare = Entry(OwnL1Offset, 2, "3", "bare", stateSize: 100, extra: 0);
            byte[] larger = Entry(OwnL1Offset, L1Entries, "4", "larger", stateSize: 0, extra: 24, diskSize: 3 * DiskSize);
            yield return new("one", [1, .. own]);
            yield return new("same", [1, .. same]);
            yield return new("bare", [1, .. bare]);
            yield return new("larger", [1, .. larger]);
            yield return new("all", [4, .. own, .. same, .. bare, .. larger]);
            yield return new("all-lenient", [0x24, .. own, .. same, .. bare, .. larger]);
            yield return new("past-end", [0x21, .. Entry(1 << 20, L1Entries, "5", "past", stateSize: 4096, extra: 24)]);
            yield return new("unnamed", [2, .. Entry(OwnL1Offset, L1Entries, "", "", stateSize: 0, extra: 24), .. own]);
        }
    }

    private static int OwnL1Offset { get; }

    private static int ActiveL1Offset { get; }

    private static byte[] Entry(long l1Offset, int l1Size, string id, string name, int stateSize, int extra, long diskSize = DiskSize)
    {
        byte[] fixedPart = new byte[40];
        fixedPart.WriteU64(0, (ulong)l1Offset)
            .WriteU32(8, (uint)l1Size)
            .WriteU16(12, (ushort)id.Length)
            .WriteU16(14, (ushort)name.Length)
            .WriteU32(16, 1_700_000_000)
            .WriteU32(20, 5)
            .WriteU64(24, 123_456_789)
            .WriteU32(32, (uint)stateSize)
            .WriteU32(36, (uint)extra);
        byte[] extraData = new byte[24].WriteU64(0, (ulong)stateSize).WriteU64(8, (ulong)diskSize).WriteU64(16, ulong.MaxValue);
        byte[] entry = [.. fixedPart, .. extraData[..extra], .. Encoding.UTF8.GetBytes(id + name)];
        Array.Resize(ref entry, (entry.Length + 7) / 8 * 8);
        return entry;
    }
}
