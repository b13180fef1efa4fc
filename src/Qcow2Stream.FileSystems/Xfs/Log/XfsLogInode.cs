using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>An item of an inode: its core, as the machine has it in memory, and what is in its forks.</summary>
internal sealed class XfsLogInode
{
    // The iteration that a small inode was flushed in is counted up to here, and then from the start.
    private const ushort LastIteration = 0xFFFF;

    private readonly XfsLogItem _item;
    private readonly int _shift;

    public XfsLogInode(XfsLogItem item)
    {
        _item = item;
        int length = item.Region(0).Length;
        if (length is not (XfsLogLayout.Inode.Length or XfsLogLayout.Inode.PackedLength))
        {
            throw XfsLogItem.Damaged();
        }

        _shift = XfsLogLayout.Inode.Length - length;
    }

    public ulong Place => _item.Quad(XfsLogLayout.Inode.Place - _shift);

    public uint Sectors => _item.Long(XfsLogLayout.Inode.BufferLength - _shift);

    private ulong Number => _item.Quad(XfsLogLayout.Inode.Number - _shift);

    private XfsLogInodeFields Fields => (XfsLogInodeFields)_item.Long(XfsLogLayout.Inode.Fields);

    /// <summary>Writes the inode, unless the volume has it, or what came later.</summary>
    public void Replay(XfsVolume volume, XfsLogBlocks blocks, XfsLogBudget budget, ulong lsn)
    {
        uint inBuffer = _item.Long(XfsLogLayout.Inode.Offset - _shift);
        long offset = blocks.OffsetOf(Place, Sectors) + inBuffer;
        if (inBuffer % volume.InodeSize != 0 || inBuffer + volume.InodeSize > Sectors * XfsLogBlocks.Sector)
        {
            throw XfsLogItem.Damaged();
        }

        byte[] inode = blocks.Read(offset, volume.InodeSize);
        if (BinaryPrimitives.ReadUInt16BigEndian(inode) != XfsInode.Magic)
        {
            throw new GuestException($"there is no inode where it has inode {Number}");
        }

        int coreLength = volume.IsChecked ? XfsLayout.Inode.CoreLength : XfsLayout.Inode.NextUnlinked;
        ReadOnlySpan<byte> logged = _item.Region(1, coreLength);
        XfsLogCore core = new(logged);
        if (logged.Length != coreLength || !core.IsRight(volume))
        {
            throw XfsLogItem.Damaged();
        }

        if (!IsNewer(volume, inode, logged, lsn))
        {
            core.CopyTo(inode, lsn);
            CopyForks(volume, inode);
            Write(volume, blocks, offset, inode);
        }

        if ((Fields & XfsLogInodeFields.DataOwner) != 0 && BinaryPrimitives.ReadUInt16BigEndian(inode.AsSpan(XfsLayout.Inode.Mode)) != 0)
        {
            XfsLogTree.ChangeOwner(volume, blocks, budget, DataFork(volume, inode), Number);
        }
    }

    /// <summary>Writes an inode, with its checksum.</summary>
    public static void Write(XfsVolume volume, XfsLogBlocks blocks, long offset, byte[] inode)
    {
        if (BinaryPrimitives.ReadUInt16BigEndian(inode) != XfsInode.Magic)
        {
            throw XfsLogItem.Damaged();
        }

        if (volume.IsChecked)
        {
            XfsChecksum.Of(inode, XfsLayout.Inode.Checksum).CopyTo(inode, XfsLayout.Inode.Checksum);
        }

        blocks.Write(offset, inode);
    }

    /// <summary>Whether an inode on the volume was written after a transaction: one without the number of a record counts how often it was.</summary>
    private static bool IsNewer(XfsVolume volume, ReadOnlySpan<byte> inode, ReadOnlySpan<byte> core, ulong lsn)
    {
        if (volume.IsChecked)
        {
            ulong written = BinaryPrimitives.ReadUInt64BigEndian(inode[XfsLayout.Inode.Lsn..]);
            return written is not (0 or ulong.MaxValue) && written > lsn;
        }

        ushort flushed = BinaryPrimitives.ReadUInt16BigEndian(inode[XfsLayout.Inode.FlushIteration..]);
        ushort logged = BinaryPrimitives.ReadUInt16LittleEndian(core[XfsLayout.Inode.FlushIteration..]);
        return logged < flushed && !(flushed == LastIteration && logged < LastIteration / 2);
    }

    private void CopyForks(XfsVolume volume, byte[] inode)
    {
        Span<byte> data = DataFork(volume, inode);
        if ((Fields & XfsLogInodeFields.Device) != 0 && data.Length >= sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32BigEndian(data, _item.Long(XfsLogLayout.Inode.Device - _shift));
        }

        int region = 2;
        if ((Fields & XfsLogInodeFields.DataFork) != 0)
        {
            CopyFork(volume, _item.Region(region), data, (Fields & XfsLogInodeFields.DataRoot) != 0);
            region++;
        }

        if ((Fields & XfsLogInodeFields.AttributeFork) != 0)
        {
            CopyFork(volume, _item.Region(region), inode.AsSpan(Start(volume) + data.Length), (Fields & XfsLogInodeFields.AttributeRoot) != 0);
        }
    }

    private static void CopyFork(XfsVolume volume, ReadOnlySpan<byte> logged, Span<byte> fork, bool isRoot)
    {
        if (isRoot)
        {
            XfsLogTree.CopyRoot(volume, logged, fork);
        }
        else if (logged.Length <= fork.Length)
        {
            logged.CopyTo(fork);
        }
        else
        {
            throw XfsLogItem.Damaged();
        }
    }

    private static Span<byte> DataFork(XfsVolume volume, byte[] inode)
    {
        int start = Start(volume);
        int end = inode[XfsLayout.Inode.ForkOffset] is > 0 and var units ? start + (units * XfsLayout.Inode.ForkUnit) : inode.Length;
        return end <= inode.Length ? inode.AsSpan(start, end - start) : throw XfsLogItem.Damaged();
    }

    private static int Start(XfsVolume volume) => volume.IsChecked ? XfsLayout.Inode.CoreLength : XfsLayout.Inode.OldCoreLength;
}
