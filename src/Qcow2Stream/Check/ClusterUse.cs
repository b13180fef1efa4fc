namespace Qcow2Stream.Check;

/// <summary>What refers to a cluster. The values are stored in two bits per cluster.</summary>
internal enum ClusterUse
{
    /// <summary>Guest data, compressed or not, or a bitmap's bits: may be shared with more of the same.</summary>
    Data,

    /// <summary>An L2 table: snapshots may share it.</summary>
    L2Table,

    /// <summary>Any other structure: shared with nothing.</summary>
    Metadata,

    /// <summary>Two uses that can't go together.</summary>
    Overlap,
}
