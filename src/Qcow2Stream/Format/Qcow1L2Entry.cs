namespace Qcow2Stream.Format;

/// <summary>One entry of an L2 table in QEMU's first format: the only flag is "compressed", and there are no reserved bits.</summary>
internal readonly record struct Qcow1L2Entry(ulong Value)
{
    public const ulong CompressedFlag = 1UL << 63;

    public bool IsCompressed => (Value & CompressedFlag) != 0;

    /// <summary>Where a cluster that is not compressed starts in the file; 0 where none is allocated.</summary>
    public long HostOffset => (long)(Value & ~CompressedFlag);

    /// <summary>Where the bytes of a compressed cluster are: below the flag stand their number, less than a cluster, and their offset.</summary>
    public CompressedDescriptor Compressed(int clusterBits)
    {
        int offsetBits = 63 - clusterBits;
        return new CompressedDescriptor(
            (long)(Value & ((1UL << offsetBits) - 1)), (int)(Value >> offsetBits) & ((1 << clusterBits) - 1));
    }
}
