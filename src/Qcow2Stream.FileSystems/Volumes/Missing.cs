namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>What a volume needs and doesn't have: each read says so.</summary>
/// <param name="length">How long it would be.</param>
/// <param name="what">What is missing: <c>it needs the physical volume pv1 of guest, which is not there</c>.</param>
internal sealed class Missing(long length, string what) : IBlockSource
{
    public long Length => length;

    public string What => what;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return offset >= length || buffer.IsEmpty ? 0 : throw new GuestException(what);
    }
}
