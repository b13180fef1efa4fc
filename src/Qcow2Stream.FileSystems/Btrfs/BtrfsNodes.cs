namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The nodes of all trees, of which the last few are kept. Each is what led to it says, so that no tree has circles. Safe for several threads.</summary>
/// <param name="space">Where they are.</param>
/// <param name="devices">What says which belong to the file system.</param>
/// <param name="nodeSize">How long they are, in bytes.</param>
/// <param name="checksum">How their sums are computed.</param>
internal sealed class BtrfsNodes(BtrfsSpace space, BtrfsDevices devices, int nodeSize, BtrfsChecksum checksum)
{
    private const int MostBytes = 8 << 20;

    private readonly Dictionary<ulong, BtrfsNode> _nodes = [];
    private readonly Lock _turn = new();

    private long _work;

    /// <summary>How much was done so far: a node is one, and one that had to be read as many as it has kibibytes.</summary>
    public long Work => Interlocked.Read(ref _work);

    /// <exception cref="GuestException">It is damaged, or not what it should be.</exception>
    public BtrfsNode Get(BtrfsPointer pointer)
    {
        Interlocked.Increment(ref _work);
        lock (_turn)
        {
            if (_nodes.TryGetValue(pointer.Address, out BtrfsNode? kept) && kept.IsWhat(pointer))
            {
                return kept;
            }
        }

        BtrfsNode node = Read(pointer);
        lock (_turn)
        {
            if (_nodes.Count >= MostBytes / nodeSize)
            {
                _nodes.Clear();
            }

            _nodes[pointer.Address] = node;
        }

        return node;
    }

    private BtrfsNode Read(BtrfsPointer pointer)
    {
        Interlocked.Add(ref _work, nodeSize >> 10);
        byte[] bytes = new byte[nodeSize];
        BtrfsNode? node = null;
        space.ReadRight(
            pointer.Address,
            bytes,
            read => (node = HasRightSum(read) ? BtrfsNode.Of(bytes) : null) is not null && node.IsWhat(pointer),
            $"its tree is damaged at address {pointer.Address}");
        return node!;
    }

    private bool HasRightSum(ReadOnlySpan<byte> bytes) =>
        checksum.IsRight(bytes[BtrfsLayout.Checksum..], bytes)
        && devices.HasNodesOf(bytes.Slice(BtrfsLayout.Node.FileSystem, BtrfsLayout.Uuid));
}
