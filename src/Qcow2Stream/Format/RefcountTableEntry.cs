namespace Qcow2Stream.Format;

/// <summary>One entry of the refcount table (section "Refcount table entry").</summary>
internal readonly record struct RefcountTableEntry(ulong Value)
{
    public const int Length = sizeof(ulong);

    /// <summary>The largest refcount table, in bytes: QEMU's own limit.</summary>
    public const int MaxTableBytes = 8 << 20;

    private const ulong OffsetMask = 0xFFFF_FFFF_FFFF_FE00;

    public bool HasReservedBits => (Value & ~OffsetMask) != 0;

    /// <summary>Where the refcount block starts in the file, up to 2^64; 0 where all of its refcounts are 0.</summary>
    public ulong BlockOffset => Value & OffsetMask;
}
