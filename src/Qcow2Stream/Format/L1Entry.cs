namespace Qcow2Stream.Format;

/// <summary>One entry of an L1 table (section "L1 table entry"). Reserved bits are ignored, as QEMU does.</summary>
internal readonly record struct L1Entry(ulong Value)
{
    public const int Length = sizeof(ulong);

    public const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;

    /// <summary>Bits that must be 0; only a check looks at them.</summary>
    public const ulong ReservedMask = 0x7F00_0000_0000_01FF;

    /// <summary>Bit 63: the L2 table's refcount is 1.</summary>
    public const ulong CopiedFlag = 1UL << 63;

    public bool IsCopied => (Value & CopiedFlag) != 0;

    /// <summary>Where the L2 table starts in the file; 0 where nothing below this entry is allocated.</summary>
    public long L2TableOffset => (long)(Value & OffsetMask);
}
