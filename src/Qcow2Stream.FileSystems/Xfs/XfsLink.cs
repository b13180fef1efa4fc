using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>The target of a symbolic link: in the inode if it is short, otherwise in blocks, which have headers in version 5 ("Symbolic Links").</summary>
internal static class XfsLink
{
    public static byte[] Target(XfsVolume volume, XfsInode inode)
    {
        if (inode.Length > XfsLayout.Link.MaxTarget || (inode.Format == XfsForkFormat.Local && inode.Length > inode.Fork.Length))
        {
            throw new GuestException($"the link is damaged: its target has {inode.Length} bytes");
        }

        byte[] target = new byte[inode.Length];
        if (inode.Format == XfsForkFormat.Local)
        {
            inode.Fork.Span[..target.Length].CopyTo(target);
        }
        else if (!volume.IsChecked)
        {
            ReadExactly(new XfsContent(volume, inode, target.Length), 0, target);
        }
        else
        {
            ReadParts(volume, inode, target);
        }

        return target;
    }

    /// <summary>Each part has a header, and is as long as that says: a block, or some that follow each other.</summary>
    private static void ReadParts(XfsVolume volume, XfsInode inode, byte[] target)
    {
        XfsContent content = new(volume, inode, (long)target.Length * volume.BlockSize);
        long at = 0;
        for (int done = 0; done < target.Length;)
        {
            byte[] header = new byte[XfsLayout.Link.Header];
            ReadExactly(content, at, header);
            uint bytes = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(XfsLayout.Link.Bytes));
            long length = (XfsLayout.Link.Header + bytes + volume.BlockSize - 1) / volume.BlockSize * volume.BlockSize;
            if (!header.AsSpan().StartsWith("XSLM"u8) || bytes == 0 || bytes > target.Length - done
                || BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(XfsLayout.Link.Offset)) != done
                || BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(XfsLayout.Link.Owner)) != inode.Number)
            {
                throw Damaged();
            }

            byte[] part = new byte[length];
            ReadExactly(content, at, part);
            if (!XfsChecksum.IsRight(part, XfsLayout.Link.Checksum))
            {
                throw Damaged();
            }

            part.AsSpan(XfsLayout.Link.Header, (int)bytes).CopyTo(target.AsSpan(done));
            done += (int)bytes;
            at += length;
        }
    }

    private static void ReadExactly(XfsContent content, long offset, byte[] buffer)
    {
        if (content.ReadAt(offset, buffer) < buffer.Length)
        {
            throw Damaged();
        }
    }

    private static GuestException Damaged() => new("the link is damaged: its target is not where it should be");
}
