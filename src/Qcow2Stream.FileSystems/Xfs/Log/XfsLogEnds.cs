namespace Qcow2Stream.FileSystems.Xfs.Log;

/// <summary>Where the part of the log is that is to be replayed: from the tail to the head, where the next record would be written.</summary>
/// <param name="Tail">The block of its first record.</param>
/// <param name="Blocks">How many blocks it has; none after the file system was unmounted.</param>
internal sealed record XfsLogEnds(long Tail, long Blocks)
{
    private const int BlocksInFlight = XfsLogLayout.Record.MaxInFlight * XfsLogLayout.Record.MaxLength / XfsLogLayout.Block;
    private const int MaxHeaders = XfsLogLayout.Record.MaxLength / XfsLogLayout.Record.CoveredByHeader;
    private const int MaxRecordBlocks = MaxHeaders + (XfsLogLayout.Record.MaxLength / XfsLogLayout.Block);

    private static XfsLogEnds Nothing => new(0, 0);

    /// <exception cref="GuestException">They can't be found.</exception>
    public static XfsLogEnds Find(XfsLogRing ring)
    {
        if (ring.CycleOf(0) == 0)
        {
            // It was never written.
            return Nothing;
        }

        long head = FindHead(ring);
        XfsLogRecord last = Before(ring, head) ?? throw Damaged();
        if (ring.Distance(last.Place, head) != last.Blocks)
        {
            // The last record wasn't written to its end.
            head = last.Place;
            last = Before(ring, head) ?? throw Damaged();
        }

        if (IsUnmount(ring, last, head))
        {
            return Nothing;
        }

        (last, head) = WithoutTorn(ring, last, head);
        if (IsUnmount(ring, last, head))
        {
            return Nothing;
        }

        long tail = FindTail(ring, last, head);
        return new XfsLogEnds(tail, ring.Distance(tail, head));
    }

    /// <summary>
    /// Finds where the round ends that the first block is of. Several records are written at a time, and the last of them may be there without one before it:
    /// then that is where it ends.
    /// </summary>
    private static long FindHead(XfsLogRing ring)
    {
        uint first = ring.CycleOf(0);
        uint last = ring.CycleOf(ring.Blocks - 1);
        (long head, uint older) = first == last ? (ring.Blocks, last - 1) : (FirstOf(ring, last), last);
        long scanned = Math.Min(BlocksInFlight, ring.Blocks);
        if (head >= scanned)
        {
            return ring.FindCycle(head - scanned, scanned, older) is >= 0 and var hole ? hole : head;
        }

        long behind = scanned - head;
        return ring.FindCycle(ring.Blocks - behind, behind, older - 1) is >= 0 and var end ? end
            : ring.FindCycle(0, head, older) is >= 0 and var start ? start
            : head;
    }

    /// <summary>Where the blocks of a round begin that reaches to the last; blocks that were never written are of round 0.</summary>
    private static long FirstOf(XfsLogRing ring, uint cycle)
    {
        (long low, long high) = (0, ring.Blocks - 1);
        while (high - low > 1)
        {
            long middle = low + ((high - low) / 2);
            (low, high) = ring.CycleOf(middle) == cycle ? (low, middle) : (middle, high);
        }

        return high;
    }

    /// <summary>Of the records that may have been written at a time, the first whose checksum is wrong ends the log.</summary>
    private static (XfsLogRecord Last, long Head) WithoutTorn(XfsLogRing ring, XfsLogRecord last, long head)
    {
        Stack<XfsLogRecord> records = new([last]);
        while (records.Count < XfsLogLayout.Record.MaxInFlight && records.Peek().Place != ring.InRing(last.Tail)
            && Before(ring, records.Peek().Place) is { } record && ring.Distance(record.Place, records.Peek().Place) == record.Blocks)
        {
            records.Push(record);
        }

        XfsLogRecord before = records.Peek();
        foreach (XfsLogRecord record in records)
        {
            if (record.IsTorn())
            {
                return record == before ? (Before(ring, record.Place) ?? throw Damaged(), record.Place) : (before, record.Place);
            }

            before = record;
        }

        return (last, head);
    }

    /// <summary>
    /// Finds the first record that is whole. Those that were written last, and are torn now, can lie over the first of those that were needed before: what
    /// these had was on the volume already, or they had not been written over.
    /// </summary>
    private static long FindTail(XfsLogRing ring, XfsLogRecord last, long head)
    {
        long reach = XfsLogLayout.Record.MaxInFlight * Math.Max(last.Size, XfsLogLayout.Record.CoveredByHeader) / XfsLogLayout.Block;
        long tail = NextHeader(ring, ring.InRing(last.Tail), head);
        while (FirstTorn(ring, tail, head) is >= 0 and var torn && ring.Distance(head, torn) <= reach)
        {
            tail = NextHeader(ring, ring.InRing(NextHeader(ring, torn, head) + 1), head);
        }

        return tail;
    }

    /// <summary>The first block from one on that begins a record.</summary>
    private static long NextHeader(XfsLogRing ring, long block, long head)
    {
        for (long left = ring.Distance(block, head); left > 0; block = ring.InRing(block + 1), left--)
        {
            if (ring.IsHeader(block))
            {
                return block;
            }
        }

        throw Damaged();
    }

    /// <summary>Where from a block on the first record is damaged; -1 if none is.</summary>
    private static long FirstTorn(XfsLogRing ring, long block, long head)
    {
        for (long left = ring.Distance(block, head); left > 0;)
        {
            if (XfsLogRecord.At(ring, block) is not { } record || record.Blocks > left || record.IsTorn())
            {
                return block;
            }

            (block, left) = (ring.InRing(block + record.Blocks), left - record.Blocks);
        }

        return -1;
    }

    /// <summary>The record before a block; null if there is none.</summary>
    private static XfsLogRecord? Before(XfsLogRing ring, long block)
    {
        for (long back = 1; back <= Math.Min(MaxRecordBlocks, ring.Blocks); back++)
        {
            if (XfsLogRecord.At(ring, block - back) is { } record)
            {
                return record;
            }
        }

        return null;
    }

    private static bool IsUnmount(XfsLogRing ring, XfsLogRecord last, long head) => ring.Distance(last.Place, head) == last.Blocks && last.IsUnmount();

    private static GuestException Damaged() => new("its last record can't be found");
}
