using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Volumes;

/// <summary>The same bytes on several members: the first that can be read answers.</summary>
/// <param name="members">The members, in the order in which they are asked; at least one.</param>
internal sealed class Mirrored(IReadOnlyList<IBlockSource> members) : IBlockSource
{
    public long Length { get; } = members.Min(member => member.Length);

    public int ReadAt(long offset, Span<byte> buffer)
    {
        int count = (int)this.Clip(offset, buffer.Length);
        foreach (IBlockSource member in members.SkipLast(1))
        {
            try
            {
                member.ReadExactly(offset, buffer[..count]);
                return count;
            }
            catch (IOException)
            {
                // Another has it too.
            }
        }

        members[^1].ReadExactly(offset, buffer[..count]);
        return count;
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length) => members[0].GetExtents(start, this.Clip(start, length));
}
