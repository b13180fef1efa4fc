using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>The core of an inode in the log: xfs_log_dinode, which is that on the volume with the bytes of its numbers the other way round.</summary>
/// <param name="core">The bytes.</param>
internal readonly ref struct XfsLogCore(ReadOnlySpan<byte> core)
{
    private const int LargeVersion = 3;

    /// <summary>The numbers that are copied, each with where it is and its length; what is between them is zero, or stays.</summary>
    private static readonly (int Offset, int Length)[] Numbers =
    [
        (0, 2), (XfsLayout.Inode.Mode, 2), (XfsLayout.Inode.Version, 1), (XfsLayout.Inode.Format, 1), (XfsLayout.Inode.UserId, 4), (XfsLayout.Inode.GroupId, 4),
        (XfsLayout.Inode.Links, 4), (XfsLayout.Inode.Project, 2), (XfsLayout.Inode.Project + 2, 2), (XfsLayout.Inode.Size, 8), (XfsLayout.Inode.BlockCount, 8),
        (XfsLayout.Inode.ExtentSize, 4), (XfsLayout.Inode.ExtentCount, 4), (XfsLayout.Inode.AttributeExtentCount, 2), (XfsLayout.Inode.ForkOffset, 1),
        (XfsLayout.Inode.AttributeFormat, 1), (XfsLayout.Inode.EventMask, 4), (XfsLayout.Inode.EventState, 2), (XfsLayout.Inode.Flags, 2),
        (XfsLayout.Inode.Generation, 4),
    ];

    private static readonly (int Offset, int Length)[] LargeNumbers =
    [
        (XfsLayout.Inode.LargeExtentCount, 8), (XfsLayout.Inode.Changes, 8), (XfsLayout.Inode.Flags2, 8), (XfsLayout.Inode.CopyExtentSize, 4),
        (XfsLayout.Inode.Number, 8),
    ];

    private readonly ReadOnlySpan<byte> _core = core;

    private bool IsLarge => _core[XfsLayout.Inode.Version] == LargeVersion;

    /// <summary>Whether it can be an inode's.</summary>
    public bool IsRight(XfsVolume volume)
    {
        int mode = BinaryPrimitives.ReadUInt16LittleEndian(_core[XfsLayout.Inode.Mode..]) >> 12;
        XfsForkFormat format = (XfsForkFormat)_core[XfsLayout.Inode.Format];
        return BinaryPrimitives.ReadUInt16LittleEndian(_core) == XfsInode.Magic
            && IsLarge == volume.IsChecked && _core[XfsLayout.Inode.Version] <= LargeVersion
            && mode switch
            {
                XfsInode.FileMode => format is XfsForkFormat.Extents or XfsForkFormat.Tree,
                XfsInode.DirectoryMode => format is XfsForkFormat.Local or XfsForkFormat.Extents or XfsForkFormat.Tree,
                _ => true,
            };
    }

    /// <summary>Writes it over an inode; which was unlinked after it stays, for that is in the item of its buffer.</summary>
    public void CopyTo(Span<byte> inode, ulong lsn)
    {
        CopyNumbers(Numbers, inode);
        inode.Slice(XfsLayout.Inode.OldLinks, sizeof(ushort)).Clear();
        CopyTime(XfsLayout.Inode.Accessed, inode);
        CopyTime(XfsLayout.Inode.Modified, inode);
        CopyTime(XfsLayout.Inode.Changed, inode);
        if (!IsLarge)
        {
            // How often it was flushed is counted from the start.
            inode.Slice(XfsLayout.Inode.LargeExtentCount, sizeof(ulong)).Clear();
            return;
        }

        CopyNumbers(LargeNumbers, inode);
        CopyTime(XfsLayout.Inode.Created, inode);
        BinaryPrimitives.WriteUInt64BigEndian(inode[XfsLayout.Inode.Lsn..], lsn);
        inode[(XfsLayout.Inode.CopyExtentSize + sizeof(uint))..XfsLayout.Inode.Created].Clear();
        _core.Slice(XfsLayout.Inode.Uuid, XfsLayout.Own.UuidLength).CopyTo(inode[XfsLayout.Inode.Uuid..]);
    }

    private void CopyNumbers((int Offset, int Length)[] numbers, Span<byte> inode)
    {
        foreach ((int offset, int length) in numbers)
        {
            Copy(offset, length, inode);
        }
    }

    /// <summary>A large time is one number, another is two: seconds and nanoseconds.</summary>
    private void CopyTime(int offset, Span<byte> inode)
    {
        if (IsLarge && (BinaryPrimitives.ReadUInt64LittleEndian(_core[XfsLayout.Inode.Flags2..]) & XfsInode.BigTime) != 0)
        {
            Copy(offset, sizeof(ulong), inode);
        }
        else
        {
            Copy(offset, sizeof(uint), inode);
            Copy(offset + sizeof(uint), sizeof(uint), inode);
        }
    }

    private void Copy(int offset, int length, Span<byte> inode)
    {
        Span<byte> number = inode.Slice(offset, length);
        _core.Slice(offset, length).CopyTo(number);
        number.Reverse();
    }
}
