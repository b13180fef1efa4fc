using DiscUtils.Streams;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Ext;

/// <summary>The content of a file.</summary>
internal sealed class ExtContent(ExtVolume volume, ExtInode inode) : FileContent(inode.Length)
{
    private readonly ExtBlockMap _map = new(volume, inode);
    private readonly ExtInode _inode = inode;

    public override IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        long end = start + this.Clip(start, length);
        ulong blocks = 0;
        for (long at = start; at < end;)
        {
            (ulong block, long skipped, long count) = ReaderErrors.Call(() => Locate(at));
            count = Math.Min(count, end - at);
            if (block != 0 && (blocks += (ulong)(count / volume.BlockSize)) > volume.BlockCount)
            {
                throw new GuestException($"it has more blocks than the volume, which has {volume.BlockCount}");
            }

            foreach (StreamExtent stored in block == 0 ? [] : volume.StoredOf(block, skipped, count))
            {
                yield return new StreamExtent(at + stored.Start, stored.Length);
            }

            at += count;
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

    /// <summary>The blocks of a directory, one after the other.</summary>
    /// <exception cref="GuestException">There is a hole, or a block comes twice: directories have neither.</exception>
    public IEnumerable<byte[]> DirectoryBlocks()
    {
        HashSet<ulong> visited = [];
        for (long at = 0; at < Length; at += volume.BlockSize)
        {
            (ulong block, _, _) = Locate(at);
            if (block == 0 || !visited.Add(block))
            {
                throw new GuestException($"the directory is damaged: {(block == 0 ? "it has a hole" : $"block {block} comes again")} at byte {at}");
            }

            byte[] names = new byte[Math.Min(volume.BlockSize, Length - at)];
            volume.ReadBlocks(block, 0, names);
            if (_inode.ChecksumSeed is { } seed && !ExtChecksum.IsRightNames(seed, names))
            {
                throw new GuestException($"the directory is damaged: the checksum of block {block} is wrong, at byte {at}");
            }

            yield return names;
        }
    }

    /// <summary>Finds the block that a byte is in, which of its bytes it is, and how many follow it there; block 0 for a hole.</summary>
    public (ulong Block, long Skipped, long Length) Locate(long offset)
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
