using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>The content of a file, or of what is kept like one.</summary>
/// <param name="volume">The volume.</param>
/// <param name="inode">The file.</param>
/// <param name="length">How much of it, in bytes.</param>
internal sealed class XfsContent(XfsVolume volume, XfsInode inode, long length) : FileContent(length)
{
    private readonly XfsBlockMap _map = new(volume, inode);

    public override IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long end = start + this.Clip(start, length);
        for (long at = start; at < end;)
        {
            (long? place, long count) = ReaderErrors.Call(() => Locate(at, end - at));
            foreach (StreamExtent stored in place is { } offset ? volume.StoredOf(offset, count) : [])
            {
                yield return new StreamExtent(at + stored.Start, stored.Length);
            }

            at += count;
        }
    }

    /// <summary>Finds where a byte is on the volume, and how many follow it there; null for a hole.</summary>
    /// <param name="offset">Its place in the file.</param>
    /// <param name="most">How many are wanted; one or more.</param>
    public (long? Place, long Count) Locate(long offset, long most)
    {
        (long fileBlock, long skipped) = Math.DivRem(offset, volume.BlockSize);
        XfsRun run = _map.Find((ulong)fileBlock);
        long count = run.Count > (ulong)(most / volume.BlockSize) + 1 ? most : Math.Min(most, ((long)run.Count * volume.BlockSize) - skipped);
        return (run.Block is { } block ? volume.OffsetOf(block) + skipped : null, count);
    }

    protected override int ReadPiece(long offset, Span<byte> buffer)
    {
        (long? place, long count) = Locate(offset, buffer.Length);
        if (place is { } at)
        {
            volume.Read(at, buffer[..(int)count]);
        }
        else
        {
            buffer[..(int)count].Clear();
        }

        return (int)count;
    }
}
