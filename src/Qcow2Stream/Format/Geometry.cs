using System.Diagnostics;

namespace Qcow2Stream.Format;

/// <summary>
/// Every shift and index that follows from cluster_bits. Sections "Cluster mapping" and "Guest clusters" of the
/// specification: a guest offset is, from the top, an index into the L1 table, an index into an L2 table, and an
/// offset in the cluster.
/// </summary>
internal readonly struct Geometry
{
    public const int MinClusterBits = 9;
    public const int MaxClusterBits = 21;

    // An L2 table is one cluster of 64-bit entries; an L1 entry is 64 bits too.
    private const int EntryBits = 3;

    public Geometry(int clusterBits)
    {
        Debug.Assert(clusterBits is >= MinClusterBits and <= MaxClusterBits);
        ClusterBits = clusterBits;
    }

    public int ClusterBits { get; }

    public int ClusterSize => 1 << ClusterBits;

    public int OffsetInClusterMask => ClusterSize - 1;

    /// <summary>Entries in one L2 table.</summary>
    public int L2Entries => 1 << L2Bits;

    /// <summary>The bytes of guest disk that one L2 table describes; at most 2^39.</summary>
    public long L2Coverage => 1L << L1Shift;

    private int L2Bits => ClusterBits - EntryBits;

    private int L1Shift => ClusterBits + L2Bits;

    public long L1Index(long guestOffset) => guestOffset >> L1Shift;

    public int L2Index(long guestOffset) => (int)(guestOffset >> ClusterBits) & (L2Entries - 1);

    public int OffsetInCluster(long offset) => (int)offset & OffsetInClusterMask;

    public bool IsClusterAligned(long hostOffset) => (hostOffset & OffsetInClusterMask) == 0;

    /// <summary>L1 entries needed to describe a disk of <paramref name="size"/> bytes.</summary>
    public long L1EntriesFor(long size) => (size >> L1Shift) + ((size & (L2Coverage - 1)) != 0 ? 1 : 0);

    /// <summary>Clusters that <paramref name="length"/> bytes touch, of which the first starts <paramref name="offsetInCluster"/> into a cluster.</summary>
    public long ClustersTouched(int offsetInCluster, long length) =>
        (length >> ClusterBits) + ((offsetInCluster + (length & OffsetInClusterMask) + OffsetInClusterMask) >> ClusterBits);
}
