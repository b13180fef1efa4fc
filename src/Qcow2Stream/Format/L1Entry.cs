namespace Qcow2Stream.Format;

/// <summary>One entry of an L1 table (section "L1 table entry"). Reserved bits are ignored, as QEMU does.</summary>
internal readonly record struct L1Entry(ulong Value)
{
    public const int Length = sizeof(ulong);

    public const ulong OffsetMask = 0x00FF_FFFF_FFFF_FE00;

    /// <summary>Where the L2 table starts in the file; 0 where nothing below this entry is allocated.</summary>
    public long L2TableOffset => (long)(Value & OffsetMask);
}
