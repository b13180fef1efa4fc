using System.Globalization;

namespace Qcow2Stream;

/// <summary>One of the disks that a chain holds, to be compared with another: see <see cref="Qcow2Chain.GetChanges"/>.</summary>
public readonly record struct DiskPoint
{
    private const string ActiveText = "active";
    private const string SnapshotPrefix = "snapshot:";
    private const string DepthPrefix = "depth:";

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

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="text"><c>active</c>, <c>snapshot:IDORNAME</c> or <c>depth:N</c>.</param>
    /// <param name="point">The disk that it names; <see cref="Active"/> if it names none.</param>
    /// <returns>Whether it names one.</returns>
    public static bool TryParse(string? text, out DiskPoint point)
    {
        point = Active;
        if (text is null || text == ActiveText)
        {
            return text is not null;
        }

        if (text.StartsWith(SnapshotPrefix, StringComparison.Ordinal) && text.Length > SnapshotPrefix.Length)
        {
            point = Snapshot(text[SnapshotPrefix.Length..]);
            return true;
        }

        bool isLayer = text.StartsWith(DepthPrefix, StringComparison.Ordinal)
            & int.TryParse(text.AsSpan(Math.Min(DepthPrefix.Length, text.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out int depth);
        point = isLayer ? Layer(depth) : Active;
        return isLayer;
    }

    /// <summary>Names it: <c>active</c>, <c>snapshot:IDORNAME</c> or <c>depth:N</c>.</summary>
    public override string ToString() => IdOrName is not null
        ? SnapshotPrefix + IdOrName
        : Depth == 0 ? ActiveText : string.Create(CultureInfo.InvariantCulture, $"{DepthPrefix}{Depth}");
}
