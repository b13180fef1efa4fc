namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// The blocks of all files of a chain: those that are on their way, which stay until they have arrived, and of those that
/// have arrived, the ones used last. A block that was read ahead stays until it is needed, unless as much as the
/// whole cache holds has come since.
/// </summary>
/// <param name="capacity">The most blocks that have memory, arrived or not.</param>
/// <param name="allocate">Makes the memory of one.</param>
internal sealed class BlockCache(int capacity, Func<int, byte[]> allocate)
{
    private readonly Dictionary<(HttpHostFile, long), Block> _blocks = [];

    // The longest unwanted first.
    private readonly LinkedList<Block> _wanted = new();

    // Arrived, and not wanted yet; the oldest first.
    private readonly LinkedList<Block> _unwanted = new();
    private int _arriving;
    private int _aheadBlocks;
    private long _arrivals;

    /// <summary>Guards all of this; to be held from looking at it until acting on what was seen.</summary>
    public Lock Gate { get; } = new();

    /// <summary>How many blocks may be read ahead beyond those that were and wait to be wanted: a quarter of all.</summary>
    public int AheadRoom => Math.Max(0, (capacity / 4) - _aheadBlocks);

    /// <summary>The block, wanted from now on; null if it is neither here nor on its way.</summary>
    public Block? Want(HttpHostFile file, long number)
    {
        if (!_blocks.TryGetValue((file, number), out Block? block))
        {
            return null;
        }

        NoLongerAhead(block);
        if (block.Place is { } place)
        {
            place.List!.Remove(place);
            _wanted.AddLast(place);
        }

        return block;
    }

    public bool Has(HttpHostFile file, long number) => _blocks.ContainsKey((file, number));

    /// <summary>Takes note of a block that will be asked for.</summary>
    public void Expect(Block block, bool isAhead)
    {
        _blocks.Add(block.Key, block);
        block.IsUnwanted = isAhead;
        _aheadBlocks += isAhead ? 1 : 0;
    }

    /// <summary>Gives blocks the memory that they are about to arrive in; others make room.</summary>
    public void GiveMemory(IReadOnlyList<Block> blocks)
    {
        lock (Gate)
        {
            _arriving += blocks.Count;
            foreach (Block block in blocks)
            {
                block.IsArriving = true;
            }

            MakeRoom();
        }

        foreach (Block block in blocks)
        {
            block.Buffer = allocate(block.Length);
        }
    }

    /// <summary>Keeps a block that has arrived.</summary>
    public void Keep(Block block)
    {
        lock (Gate)
        {
            _arriving--;
            block.IsArriving = false;
            block.ArrivedAs = _arrivals++;
            block.Place = (block.IsUnwanted ? _unwanted : _wanted).AddLast(block);
            _blocks[block.Key] = block;
            while (_unwanted.First is { } oldest && _arrivals - oldest.Value.ArrivedAs > capacity)
            {
                NoLongerAhead(oldest.Value);
                _unwanted.Remove(oldest);
                _wanted.AddFirst(oldest);
            }

            MakeRoom();
        }
    }

    /// <summary>Drops a block.</summary>
    public void Forget(Block block)
    {
        lock (Gate)
        {
            if (block.Place is { } place)
            {
                place.List?.Remove(place);
            }
            else if (block.IsArriving)
            {
                _arriving--;
                block.IsArriving = false;
            }

            NoLongerAhead(block);
            _blocks.Remove(block.Key);
        }
    }

    private void NoLongerAhead(Block block)
    {
        _aheadBlocks -= block.IsUnwanted ? 1 : 0;
        block.IsUnwanted = false;
    }

    private void MakeRoom()
    {
        while (_arriving + _wanted.Count + _unwanted.Count > capacity && (_wanted.First ?? _unwanted.First) is { } place)
        {
            place.List!.Remove(place);
            NoLongerAhead(place.Value);
            _blocks.Remove(place.Value.Key);
        }
    }
}
