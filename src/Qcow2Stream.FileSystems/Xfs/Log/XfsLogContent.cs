using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>
/// Does what was left to be done to the content of files, one after the other as it was logged. What is on the volume stays: it is noted where blocks are then.
/// </summary>
/// <param name="volume">The volume after the replay.</param>
/// <param name="result">What the replay wrote, and what is noted here.</param>
internal sealed class XfsLogContent(XfsVolume volume, XfsLogResult result)
{
    // Linux does some at a time: of a file in very many parts one more would take long to be sorted in.
    private const int MaxParts = 1 << 14;

    private const uint KindMask = 0xFF;
    private const uint Map = 1;
    private const uint Unmap = 2;
    private const uint IsOfAttributes = 1u << 31;
    private const uint IsUnwritten = 1u << 30;
    private const uint IsRealtime = 1u << 29;

    private const ulong ExchangesAttributes = 0x1;
    private const ulong SetsSizes = 0x2;
    private const ulong WrittenOnly = 0x4;

    private int _parts;

    /// <summary>Does all of it.</summary>
    /// <returns>What a user should know.</returns>
    public string? Finish()
    {
        try
        {
            foreach ((XfsLogItemKind kind, byte[] bytes) in result.Intents.OfContent())
            {
                if (kind == XfsLogItemKind.MapIntent)
                {
                    Remap(bytes);
                }
                else
                {
                    Exchange(bytes);
                }
            }

            return null;
        }
        catch (GuestException e)
        {
            return $"its log is replayed, but not all that the guest would do after that ({e.Message}): "
                + "files may have parts of their old content, or of another's";
        }
    }

    /// <summary>A file gets blocks, or loses them.</summary>
    private void Remap(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < XfsLogLayout.Intent.Extents + XfsLogLayout.Intent.MapLength || Long(bytes, XfsLogLayout.Intent.Count) != 1)
        {
            throw XfsLogItem.Damaged();
        }

        ReadOnlySpan<byte> map = bytes[XfsLogLayout.Intent.Extents..];
        ulong block = Quad(map, XfsLogLayout.Intent.MapBlock);
        ulong fileBlock = Quad(map, XfsLogLayout.Intent.MapFileBlock);
        uint count = Long(map, XfsLogLayout.Intent.MapBlocks);
        uint flags = Long(map, XfsLogLayout.Intent.MapFlags);
        if ((flags & (IsOfAttributes | IsRealtime)) != 0)
        {
            // Neither is read.
            return;
        }

        if ((flags & KindMask) is not (Map or Unmap) || fileBlock > XfsBlockMap.End - count || !volume.Holds(block, count))
        {
            throw XfsLogItem.Damaged();
        }

        bool hasBlocks = (flags & KindMask) == Map && (flags & IsUnwritten) == 0;
        Add(Of(Quad(map, XfsLogLayout.Intent.MapOwner)), new XfsRemap(fileBlock, count, hasBlocks ? block : null));
    }

    /// <summary>Two files exchange what they have in a range.</summary>
    private void Exchange(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < XfsLogLayout.Exchange.ItemLength)
        {
            throw XfsLogItem.Damaged();
        }

        ulong flags = Quad(bytes, XfsLogLayout.Exchange.Flags);
        ulong left = Quad(bytes, XfsLogLayout.Exchange.Blocks);
        ulong here = Quad(bytes, XfsLogLayout.Exchange.FirstStart);
        ulong there = Quad(bytes, XfsLogLayout.Exchange.SecondStart);
        if ((flags & ExchangesAttributes) != 0 || left == 0)
        {
            return;
        }

        XfsInode first = Inode(bytes, XfsLogLayout.Exchange.FirstInode, XfsLogLayout.Exchange.FirstGeneration);
        XfsInode second = Inode(bytes, XfsLogLayout.Exchange.SecondInode, XfsLogLayout.Exchange.SecondGeneration);
        if (left > XfsBlockMap.End || here > XfsBlockMap.End - left || there > XfsBlockMap.End - left)
        {
            throw XfsLogItem.Damaged();
        }

        (XfsRemaps ofFirst, XfsRemaps ofSecond) = (Of(first.Number), Of(second.Number));
        XfsBlockMap firstMap = new(volume, first);
        XfsBlockMap secondMap = new(volume, second);
        while (left > 0)
        {
            XfsRun one = firstMap.Find(here);
            ulong count = Math.Min(one.Count, left);
            if (one.Block is not null || (flags & WrittenOnly) == 0)
            {
                XfsRun other = secondMap.Find(there);
                count = Math.Min(count, other.Count);
                if (one.Block != other.Block)
                {
                    Add(ofFirst, new XfsRemap(here, count, other.Block));
                    Add(ofSecond, new XfsRemap(there, count, one.Block));
                }
            }

            (here, there, left) = (here + count, there + count, left - count);
        }

        if ((flags & SetsSizes) != 0)
        {
            WriteLength(first.Number, second.Length);
            WriteLength(second.Number, first.Length);
        }
    }

    private void WriteLength(ulong inode, long length)
    {
        long offset = volume.OffsetOfInode(inode);
        byte[] bytes = new byte[volume.InodeSize];
        volume.Read(offset, bytes);
        if (bytes.Length % XfsLogBlocks.Sector != 0)
        {
            throw XfsLogItem.Damaged();
        }

        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(XfsLayout.Inode.Size), length);
        XfsChecksum.Of(bytes, XfsLayout.Inode.Checksum).CopyTo(bytes, XfsLayout.Inode.Checksum);
        result.Written.Write(offset, bytes);
    }

    private XfsInode Inode(ReadOnlySpan<byte> bytes, int number, int generation) =>
        volume.Inode(Quad(bytes, number)) is var inode && inode.Generation == Long(bytes, generation) ? inode : throw XfsLogItem.Damaged();

    private XfsRemaps Of(ulong inode)
    {
        if (!result.Remaps.TryGetValue(inode, out XfsRemaps? remaps))
        {
            result.Remaps.Add(inode, remaps = new XfsRemaps());
        }

        return remaps;
    }

    private void Add(XfsRemaps remaps, XfsRemap remap)
    {
        if (++_parts > MaxParts)
        {
            throw new GuestException($"more than {MaxParts} extents of files have a new place");
        }

        remaps.Add(remap);
    }

    private static uint Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static ulong Quad(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);
}
