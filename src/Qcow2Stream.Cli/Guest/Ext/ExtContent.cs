namespace Qcow2Stream.Cli.Guest.Ext;

/// <summary>The content of a file.</summary>
internal sealed class ExtContent(ExtVolume volume, ExtInode inode) : GuestContent(inode.Length)
{
    private readonly ExtBlockMap _map = new(volume, inode);

    protected override int ReadPiece(long position, Span<byte> buffer)
    {
        long fileBlock = Math.DivRem(position, volume.BlockSize, out long offset);
        if (fileBlock >= uint.MaxValue)
        {
            throw new GuestException("it is larger than its map can tell");
        }

        (ulong block, uint blocks) = _map.Find((uint)fileBlock);
        int count = (int)Math.Min(buffer.Length, ((long)blocks * volume.BlockSize) - offset);
        if (block == 0)
        {
            buffer[..count].Clear();
        }
        else
        {
            volume.ReadBlocks(block, offset, buffer[..count]);
        }

        return count;
    }
}
