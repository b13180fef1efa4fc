using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>The content of a file.</summary>
internal sealed class ExtContent(ExtVolume volume, ExtInode inode) : FileContent(inode.Length)
{
    private readonly ExtBlockMap _map = new(volume, inode);

    public override IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long end = start + this.Clip(start, length);
        long first = start;
        for (long at = start; at < end;)
        {
            (ulong block, _, long count) = ReaderErrors.Call(() => Locate(at));
            if (block == 0)
            {
                if (first < at)
                {
                    yield return new StreamExtent(first, at - first);
                }

                first = Math.Min(at + count, end);
            }

            at = Math.Min(at + count, end);
        }

        if (first < end)
        {
            yield return new StreamExtent(first, end - first);
        }
    }

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        (ulong block, long skipped, long length) = Locate(offset);
        int count = (int)Math.Min(buffer.Length, length);
        if (block == 0)
        {
            buffer[..count].Clear();
        }
        else
        {
            volume.ReadBlocks(block, skipped, buffer[..count]);
        }

        return count;
    }

    /// <summary>Finds the block that a byte is in, which of its bytes it is, and how many follow it there; block 0 for a hole.</summary>
    private (ulong Block, long Skipped, long Length) Locate(long offset)
    {
        long fileBlock = Math.DivRem(offset, volume.BlockSize, out long skipped);
        if (fileBlock >= uint.MaxValue)
        {
            throw new GuestException("it is larger than its map can describe");
        }

        (ulong block, uint count) = _map.Find((uint)fileBlock);
        return (block, skipped, ((long)count * volume.BlockSize) - skipped);
    }
}
