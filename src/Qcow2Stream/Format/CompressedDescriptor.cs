namespace Qcow2Stream.Format;

/// <summary>Where the bytes of a compressed cluster are (section "Compressed Clusters Descriptor").</summary>
/// <param name="HostOffset">Where they start; any byte, not only a sector's first.</param>
/// <param name="HostLength">
/// How many there may be. It counts whole sectors, so the compressed stream can end earlier, and the file too.
/// </param>
internal readonly record struct CompressedDescriptor(long HostOffset, int HostLength)
{
    private const int DescriptorBits = 62;

    public static CompressedDescriptor Parse(L2Entry entry, Geometry geometry)
    {
        // The lower x bits are the offset; the bits up to 61 count the sectors beyond the first.
        int offsetBits = DescriptorBits - (geometry.ClusterBits - 8);
        ulong descriptor = entry.Value & ((1UL << DescriptorBits) - 1);
        long hostOffset = (long)(descriptor & ((1UL << offsetBits) - 1));
        int sectors = (int)(descriptor >> offsetBits) + 1;
        return new CompressedDescriptor(hostOffset, (sectors * Sector.Size) - ((int)hostOffset & (Sector.Size - 1)));
    }
}
