namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>
/// The nodes of one tree on a volume, of which the last few are kept. A node has one place in its tree: so the tree has no circles, and nothing twice.
/// Not safe for several threads.
/// </summary>
/// <param name="most">How many are kept: those on the way to one leaf.</param>
/// <param name="read">Reads the node of a block, and judges it.</param>
internal sealed class TreeNodes(int most, Func<ulong, byte[]> read)
{
    /// <summary>As many as describe 2 TiB in pieces of a block of 4 KiB each; where each is takes some 100 MB of memory in all.</summary>
    public const int Most = 1 << 21;

    private readonly Dictionary<ulong, byte[]> _nodes = [];

    // What each node starts with: the first block of the file that it knows of, say.
    private readonly Dictionary<ulong, ulong> _places = [];

    /// <summary>The node of a block.</summary>
    /// <param name="block">Its block.</param>
    /// <param name="place">What it starts with.</param>
    /// <exception cref="GuestException">It has another place too, it is damaged, or there are too many.</exception>
    public byte[] Get(ulong block, ulong place)
    {
        if (!_places.TryAdd(block, place) && _places[block] != place)
        {
            throw new GuestException($"its map leads to block {block} from two places");
        }

        if (_places.Count > Most)
        {
            throw new GuestException($"its map has more than {Most} blocks of its own");
        }

        if (_nodes.TryGetValue(block, out byte[]? node))
        {
            return node;
        }

        if (_nodes.Count >= most)
        {
            _nodes.Clear();
        }

        return _nodes[block] = read(block);
    }
}
