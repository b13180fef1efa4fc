namespace Qcow2Stream.Check;

/// <summary>
/// How many references to each cluster were found, and of what kind. Memory grows with the ranges of the file that
/// are used, and is bounded: a hole of any size costs 8 bytes for 4096 clusters.
/// </summary>
internal sealed class ClusterUses
{
    public const int PageClustersLog2 = 12;
    private const int PageClusters = 1 << PageClustersLog2;
    private const int PageBytes = PageClusters * sizeof(ushort);
    private const int DictionaryEntryBytes = 64;

    // The two high bits of a slot are the use. Counts that do not fit into the others are in a dictionary.
    private const int UseShift = 14;
    private const ushort CountMask = (1 << UseShift) - 1;
    private const ushort Spilled = CountMask;

    private readonly ushort[]?[] _pages;
    private readonly Dictionary<long, ulong> _spilled = [];
    private readonly ulong _max;
    private readonly string? _path;
    private readonly long _maxBytes;
    private long _bytes;

    /// <summary>Initializes the counts, all 0.</summary>
    /// <param name="clusters">How many clusters may be counted.</param>
    /// <param name="max">The largest count: what a refcount can hold.</param>
    /// <param name="maxBytes">The most memory to take.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="Qcow2UnsupportedException">The memory does not suffice; later calls throw the same.</exception>
    public ClusterUses(long clusters, ulong max, long maxBytes, string? path)
    {
        _max = max;
        _maxBytes = maxBytes;
        _path = path;
        long pages = ((clusters - 1) >> PageClustersLog2) + 1;
        Charge(pages * IntPtr.Size);
        _pages = new ushort[]?[pages];
    }

    /// <summary>Counts references; returns how many did not fit, as the count is at its maximum, and stays there.</summary>
    public ulong Add(long cluster, ClusterUse use, ulong times = 1)
    {
        ref ushort slot = ref Slot(cluster);
        ulong count = Decode(cluster, slot).Count;
        int earlier = slot >> UseShift;
        if (count == 0)
        {
            earlier = (int)use;
        }
        else if (earlier != (int)use || use == ClusterUse.Metadata)
        {
            earlier = (int)ClusterUse.Overlap;
        }

        ulong fitting = Math.Min(times, _max - count);
        if (count + fitting >= Spilled)
        {
            if (count < Spilled)
            {
                Charge(DictionaryEntryBytes);
            }

            _spilled[cluster] = count + fitting;
        }

        slot = (ushort)((earlier << UseShift) | (int)Math.Min(count + fitting, Spilled));
        return times - fitting;
    }

    /// <summary>How many references to a cluster were counted, and of what kind.</summary>
    public (ulong Count, ClusterUse Use) Get(long cluster) =>
        _pages[cluster >> PageClustersLog2] is { } page ? Decode(cluster, page[cluster & (PageClusters - 1)]) : default;

    /// <summary>
    /// The counts of the page that holds <paramref name="cluster"/>, from it on; empty if nothing refers to any of
    /// the <paramref name="clusters"/> that are left in the page.
    /// </summary>
    public ReadOnlySpan<ushort> PageFrom(long cluster, out int clusters)
    {
        int index = (int)(cluster & (PageClusters - 1));
        clusters = PageClusters - index;
        return _pages[cluster >> PageClustersLog2].AsSpan() is { Length: > 0 } page ? page[index..] : default;
    }

    /// <summary>Reads what <see cref="PageFrom"/> gave for a cluster.</summary>
    public (ulong Count, ClusterUse Use) Decode(long cluster, ushort slot)
    {
        int count = slot & CountMask;
        return (count == Spilled ? _spilled[cluster] : (ulong)count, (ClusterUse)(slot >> UseShift));
    }

    private ref ushort Slot(long cluster)
    {
        ref ushort[]? page = ref _pages[cluster >> PageClustersLog2];
        if (page is null)
        {
            Charge(PageBytes);
            page = new ushort[PageClusters];
        }

        return ref page[cluster & (PageClusters - 1)];
    }

    /// <summary>Takes memory for what is kept besides the counts.</summary>
    public void Charge(long bytes)
    {
        _bytes += bytes;
        if (_bytes > _maxBytes || _bytes < 0)
        {
            throw new Qcow2UnsupportedException(
                "large check", $"counting the references takes more than the {_maxBytes} bytes of memory that MaxCheckBytes allows", _path)
            {
                Hint = nameof(Qcow2OpenOptions.MaxCheckBytes),
            };
        }
    }
}
