using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>A way to describe what a disk consists of: what a client chooses in the handshake, and NBD_CMD_BLOCK_STATUS answers.</summary>
internal sealed class MetaContext
{
    private const uint NotAllocated = 0;

    private readonly Func<Qcow2Chain, MapExtent, uint> _status;

    private MetaContext(uint id, string name, Func<Qcow2Chain, MapExtent, uint> status)
    {
        Id = id;
        Name = name;
        _status = status;
    }

    /// <summary>Which ranges are known to read as zeros; none of these has space of its own, as far as a client needs to know.</summary>
    public static MetaContext BaseAllocation { get; } = new(0, "base:allocation", (_, extent) =>
        (uint)(extent.IsZero ? AllocationState.Hole | AllocationState.Zero : AllocationState.None));

    /// <summary>Which layer of the chain decides a range: 1 is the top image, 0 means that none does.</summary>
    public static MetaContext AllocationDepth { get; } = new(1, "qemu:allocation-depth", Depth);

    public static IReadOnlyList<MetaContext> All { get; } = [BaseAllocation, AllocationDepth];

    /// <summary>The number by which replies mean it.</summary>
    public uint Id { get; }

    public string Name { get; }

    /// <summary>Whether a client that lists contexts means this one: by its name, or by the namespace alone.</summary>
    public bool IsListedBy(string query) => query == Name || (query.EndsWith(':') && Name.StartsWith(query, StringComparison.Ordinal));

    /// <summary>A range of the disk as this context describes it; neighbours of one status are merged.</summary>
    public IEnumerable<StatusExtent> Describe(Qcow2Chain chain, MapEnumerator range) => range
        .MergedBy(e => _status(chain, e))
        .Select(r => new StatusExtent(r.Start, r.Length, r.Key));

    /// <summary>
    /// Past the end of a backing file that is shorter than the image above, its zeros count as its own. That is where a
    /// range is nobody's although there is another layer.
    /// </summary>
    private static uint Depth(Qcow2Chain chain, MapExtent extent)
    {
        int layer = extent.IsPresent ? extent.Depth : extent.Depth + 1;
        return layer < chain.Layers.Count ? (uint)layer + 1 : NotAllocated;
    }
}
