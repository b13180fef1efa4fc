namespace Qcow2Stream.Format;

/// <summary>
/// One entry of an L2 table (section "L2 table entry"). Reserved bits are ignored, as QEMU does.
/// </summary>
internal readonly record struct L2Entry(ulong Value)
{
    public const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;

    /// <summary>Bit 62; it decides before anything else how the other bits are read.</summary>
    public const ulong CompressedFlag = 1UL << 62;

    /// <summary>Bit 63: the cluster's refcount is 1. With an external data file it also distinguishes offset 0 from no offset.</summary>
    public const ulong CopiedFlag = 1UL << 63;

    /// <summary>Bit 0, which version 3 defines: the cluster reads as zeros, whether an offset is there or not.</summary>
    public const ulong ZeroFlag = 1;

    /// <summary>Bits of an entry that is not compressed that must be 0 (bit 0 apart); only a check looks at them.</summary>
    public const ulong ReservedMask = 0x3F00_0000_0000_01FE;

    /// <summary>All that decides what an entry means; what is left out (COPIED, reserved bits) does not.</summary>
    public const ulong MeaningMask = CompressedFlag | OffsetMask | ZeroFlag;

    public bool IsCompressed => (Value & CompressedFlag) != 0;

    public bool IsCopied => (Value & CopiedFlag) != 0;

    public bool IsZero => (Value & ZeroFlag) != 0;

    /// <summary>Where the cluster starts in the file; 0 where none is allocated.</summary>
    public long HostOffset => (long)(Value & OffsetMask);
}
