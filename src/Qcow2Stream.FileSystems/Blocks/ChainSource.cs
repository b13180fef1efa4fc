using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>The disk of a chain.</summary>
internal sealed class ChainSource(Qcow2Chain chain) : IBlockSource
{
    public long Length => chain.Length;

    public int ReadAt(long offset, Span<byte> buffer) => chain.ReadAt(offset, buffer);

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => chain.OpenStream().GetExtentsInRange(start, length);
}
