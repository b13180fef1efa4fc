using System.Numerics;

namespace Qcow2Stream.Format;

/// <summary>
/// The second half of an extended L2 entry (section "Extended L2 Entries"): a bit per subcluster for "allocated" in the
/// lower 32, for "reads as zeros" in the upper 32; neither: the backing file decides.
/// </summary>
internal readonly record struct SubclusterBitmap(ulong Value)
{
    public uint Allocated => (uint)Value;

    public uint Zero => (uint)(Value >> 32);

    public uint Unallocated => ~(Allocated | Zero);

    /// <summary>Both bits of one subcluster set have no meaning.</summary>
    public bool IsContradictory => (Allocated & Zero) != 0;

    /// <summary>How many bits, from <paramref name="first"/> on, are set in one of the three masks.</summary>
    public static int CountRun(uint mask, int first) => BitOperations.TrailingZeroCount(~(ulong)(mask >> first));
}
