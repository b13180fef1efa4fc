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

    /// <summary>With extended L2 entries a cluster is at least 16 KiB, so that a subcluster is at least a sector.</summary>
    public const int MinExtendedClusterBits = 14;

    /// <summary>Subclusters of one cluster, each a bit in the two halves of an extended entry's bitmap.</summary>
    public const int Subclusters = 32;

    // An L2 table is one cluster of 64-bit entries, or of 128-bit extended ones.
    private const int EntryBits = 3;
    private const int ExtendedEntryBits = 4;
    private const int SubclustersLog2 = 5;

    private readonly int _l2EntryBits;

    public Geometry(int clusterBits, bool extendedL2 = false)
    {
        Debug.Assert(clusterBits is >= MinClusterBits and <= MaxClusterBits);
        ClusterBits = clusterBits;
        _l2EntryBits = extendedL2 ? ExtendedEntryBits : EntryBits;
    }

    public int ClusterBits { get; }

    public int ClusterSize => 1 << ClusterBits;

    public int OffsetInClusterMask => ClusterSize - 1;

    /// <summary>Entries in one L2 table.</summary>
    public int L2Entries => 1 << L2Bits;

    /// <summary>The bytes of guest disk that one L2 table describes; at most 2^39.</summary>
    public long L2Coverage => 1L << L1Shift;

    public bool HasExtendedL2 => _l2EntryBits == ExtendedEntryBits;

    /// <summary>The 64-bit words of one L2 entry.</summary>
    public int WordsPerL2Entry => 1 << (_l2EntryBits - EntryBits);

    public int SubclusterBits => ClusterBits - SubclustersLog2;

    private int L2Bits => ClusterBits - _l2EntryBits;

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
