namespace Qcow2Stream.Format;

/// <summary>
/// How refcounts of 1 to 64 bits lie in a refcount block, seen as 64-bit words in host byte order (section "Refcount
/// blocks"): bytes are big-endian, but counts of less than a byte start at its least significant bit.
/// </summary>
internal readonly struct RefcountLayout(int refcountOrder)
{
    private const int ByteLog2 = 3;
    private const int WordLog2 = 6;
    private const int ByteMask = 7;

    /// <summary>The log2 of the refcounts in a word.</summary>
    public int PerWordLog2 => WordLog2 - refcountOrder;

    /// <summary>The largest refcount.</summary>
    public ulong Max => ulong.MaxValue >> (64 - (1 << refcountOrder));

    /// <summary>The log2 of the refcounts in a block, which is one cluster.</summary>
    public int PerBlockLog2(int clusterBits) => clusterBits + ByteLog2 - refcountOrder;

    /// <summary>Reads the refcount with number <paramref name="index"/> from the words.</summary>
    public ulong Get(ReadOnlySpan<ulong> words, int index)
    {
        ulong word = words[index >> PerWordLog2];
        int bit = (index << refcountOrder) & 63;
        int shift = refcountOrder >= ByteLog2
            ? 64 - (1 << refcountOrder) - bit
            : 56 - (bit & ~ByteMask) + (bit & ByteMask);
        return (word >> shift) & Max;
    }
}
