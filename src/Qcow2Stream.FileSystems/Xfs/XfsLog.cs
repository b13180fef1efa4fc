using System.Buffers.Binary;

namespace Qcow2Stream.FileSystems.Xfs;

/// <summary>
/// The log, as far as it says whether the guest was shut down: a ring of records, whose blocks have the number of their round in front ("Journaling Log"). If
/// the last record is that of unmounting, all is where it belongs.
/// </summary>
/// <param name="volume">The volume.</param>
internal sealed class XfsLog(XfsVolume volume)
{
    private readonly long _start = volume.OffsetOf(volume.LogStart);
    private readonly long _blocks = (long)volume.LogBlocks * volume.BlockSize / XfsLayout.Log.Block;

    /// <summary>Whether the log of a volume has something that is not on the rest of it yet; also if that can't be told.</summary>
    public static bool NeedsReplay(XfsVolume volume)
    {
        try
        {
            return new XfsLog(volume).NeedsReplay();
        }
        catch (GuestException)
        {
            // Where the log should be is nothing: that is no reason not to read the files.
            return true;
        }
    }

    private bool NeedsReplay()
    {
        if (volume.LogStart == 0 || _blocks == 0)
        {
            return true;
        }

        long head = FindHead();
        long most = Math.Min(XfsLayout.Log.MaxRecord / XfsLayout.Log.Block, _blocks);
        for (long back = 1; back <= most; back++)
        {
            byte[] block = Block(head - back);
            if (Long(block, 0) == XfsLayout.Log.Magic)
            {
                return !IsUnmount(block, head - back, back);
            }
        }

        return true;
    }

    /// <summary>Finds where the next record would be written: where the round that the first block is of ends.</summary>
    private long FindHead()
    {
        uint first = CycleOf(0);
        uint last = CycleOf(_blocks - 1);
        if (first == last)
        {
            return _blocks;
        }

        // Blocks that were never written are of round 0.
        (long low, long high) = (0, _blocks - 1);
        while (high - low > 1)
        {
            long middle = low + ((high - low) / 2);
            (low, high) = CycleOf(middle) == first ? (middle, high) : (low, middle);
        }

        return high;
    }

    private bool IsUnmount(ReadOnlySpan<byte> record, long place, long length)
    {
        long size = Long(record, XfsLayout.Log.RecordSize);
        long headers = Math.Max(1, (size + XfsLayout.Log.HeaderCovers - 1) / XfsLayout.Log.HeaderCovers);
        return Long(record, XfsLayout.Log.Operations) == 1
            && headers < length
            && headers + ((Long(record, XfsLayout.Log.Length) + XfsLayout.Log.Block - 1) / XfsLayout.Log.Block) == length
            && (Block(place + headers)[XfsLayout.Log.OperationFlags] & XfsLayout.Log.Unmount) != 0;
    }

    /// <summary>The round of a block: in a header after the magic, elsewhere in front.</summary>
    private uint CycleOf(long block)
    {
        byte[] bytes = Block(block);
        return Long(bytes, 0) == XfsLayout.Log.Magic ? Long(bytes, XfsLayout.Log.Cycle) : Long(bytes, 0);
    }

    private byte[] Block(long block)
    {
        byte[] bytes = new byte[XfsLayout.Log.Block];
        volume.Read(_start + ((block + _blocks) % _blocks * XfsLayout.Log.Block), bytes);
        return bytes;
    }

    private static uint Long(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes[offset..]);
}
