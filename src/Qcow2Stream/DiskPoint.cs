namespace Qcow2Stream;

/// <summary>One of the disks that a chain holds, to be compared with another: see <see cref="Qcow2Chain.GetChanges"/>.</summary>
public readonly record struct DiskPoint
{
    private DiskPoint(int depth, string? idOrName)
    {
        Depth = depth;
        IdOrName = idOrName;
    }

    /// <summary>The top image's active disk.</summary>
    public static DiskPoint Active { get; }

    internal int Depth { get; }

    internal string? IdOrName { get; }

    /// <summary>An internal snapshot of the top image.</summary>
    /// <param name="idOrName">Its id or, where no id fits, its name.</param>
    public static DiskPoint Snapshot(string idOrName)
    {
        ArgumentException.ThrowIfNullOrEmpty(idOrName);
        return new DiskPoint(0, idOrName);
    }

    /// <summary>The disk as a layer and those below it show it; 0 is <see cref="Active"/>.</summary>
    /// <param name="depth">0 or more; layers are counted from the top.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="depth"/> is negative.</exception>
    public static DiskPoint Layer(int depth)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(depth);
        return new DiskPoint(depth, null);
    }
}
