namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// Decides what to ask for when a file is read: which blocks, in one request or two, and how many of them ahead of what is
/// wanted. A request that finds memory and a turn free has them from the start, and what is read ahead is a request of its
/// own. One that has to wait carries what is read ahead itself, as do all that wait after it: fewer requests that are larger
/// are done sooner.
/// Decides under the cache's gate, so that no block is asked for twice. Safe for any number of threads.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="cache">The blocks of all files of the chain.</param>
/// <param name="slots">What all requests of the chain share.</param>
/// <param name="maxAheadBlocks">How many blocks to read ahead at most.</param>
/// <param name="maxRequestBlocks">How many blocks to ask for at most in a request that somebody waits for.</param>
internal sealed class RequestPlanner(
    HttpHostFile file, BlockCache cache, RequestSlots slots, int maxAheadBlocks, int maxRequestBlocks)
{
    private readonly ReadAhead _ahead = new(maxAheadBlocks);

    /// <summary>Plans the request that gives the file's length and version: for its first block.</summary>
    /// <returns>The request. Its block is in the cache once it has arrived.</returns>
    public Filling PlanFirst() => new([new Block(file, 0, Block.Size)], version: null, slots.LeaseLater(1));

    /// <summary>Plans a read: what of it is here already, or what to ask for.</summary>
    /// <param name="version">The version that was opened.</param>
    /// <param name="hostOffset">The first byte that is wanted; the file has it.</param>
    /// <param name="wantedBytes">How many are; one or more.</param>
    /// <returns>As much of the read as is here, or on its way; if its first byte is not, what one request brings of it.</returns>
    public RequestPlan Plan(RemoteVersion version, long hostOffset, int wantedBytes)
    {
        long first = hostOffset / Block.Size;
        long last = (hostOffset + Math.Min(wantedBytes, version.Length - hostOffset) - 1) / Block.Size;
        long end = Math.Min(last + 1, first + maxRequestBlocks);
        lock (cache.Gate)
        {
            List<Block> found = Find(first, end);
            return found.Count > 0 ? PlanBeyond(version, found, end) : PlanMissing(version, first, end);
        }
    }

    private List<Block> Find(long first, long end)
    {
        List<Block> found = [];
        while (first + found.Count < end && cache.Want(file, first + found.Count) is { } block)
        {
            found.Add(block);
        }

        return found;
    }

    /// <summary>Plans a read of blocks that are there, and what to read ahead if it has come to what was read ahead.</summary>
    private RequestPlan PlanBeyond(RemoteVersion version, List<Block> found, long end)
    {
        Filling? ahead = null;
        if (found.FindLast(block => block.StartsNext) is { } starter)
        {
            found.ForEach(block => block.StartsNext = false);
            ahead = PlanAhead(version, room => _ahead.Beyond(starter.Key.Number, end, room));
        }

        return new RequestPlan(found, AreKnown: true, Missing: null, ahead);
    }

    /// <summary>Plans a read whose first block is missing.</summary>
    private RequestPlan PlanMissing(RemoteVersion version, long first, long end)
    {
        List<Block> wanted = Expect(version, first, (int)(end - first), isAhead: false);
        int count = wanted.Count;
        if (slots.TryLease(count) is { } lease)
        {
            Filling missing = new(wanted, version, lease);
            return new RequestPlan(wanted, AreKnown: false, missing, PlanAhead(version, room => (first + count, _ahead.After(first, count, room))));
        }

        int room = Math.Min(cache.AheadRoom, maxRequestBlocks - count);
        List<Block> all = [.. wanted, .. Expect(version, first + count, _ahead.After(first, count, room), isAhead: true)];
        return new RequestPlan(wanted, AreKnown: false, new Filling(all, version, slots.LeaseLater(all.Count)), Ahead: null);
    }

    /// <summary>Plans a request for blocks that nobody needs yet, if there is a turn for it that isn't the last.</summary>
    /// <param name="version">The version that was opened.</param>
    /// <param name="choose">Gets for how many blocks there is room, 0 too, and says which to read.</param>
    private Filling? PlanAhead(RemoteVersion version, Func<int, (long First, int Count)> choose)
    {
        RequestSlots.Lease? lease = slots.TryLeaseAhead(Math.Min(maxAheadBlocks, cache.AheadRoom));
        (long first, int count) = choose(lease?.Blocks ?? 0);
        List<Block> blocks = Expect(version, first, count, isAhead: true);
        if (lease is null || blocks.Count == 0)
        {
            lease?.Dispose();
            return null;
        }

        lease.Shrink(blocks.Count);
        return new Filling(blocks, version, lease);
    }

    /// <summary>Takes note of blocks that will be asked for, up to the end of the file or the first that is there already.</summary>
    private List<Block> Expect(RemoteVersion version, long first, int count, bool isAhead)
    {
        List<Block> blocks = [];
        for (long number = first; blocks.Count < count && number * Block.Size < version.Length && !cache.Has(file, number); number++)
        {
            Block block = new(file, number, (int)Math.Min(Block.Size, version.Length - (number * Block.Size)))
            {
                StartsNext = isAhead && blocks.Count == 0,
            };
            cache.Expect(block, isAhead);
            blocks.Add(block);
        }

        return blocks;
    }
}
