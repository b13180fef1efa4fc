namespace Qcow2Stream;

/// <summary>One thing that a check found.</summary>
public sealed record CheckFinding
{
    internal CheckFinding()
    {
    }

    /// <summary>How much it matters.</summary>
    public required CheckSeverity Severity { get; init; }

    /// <summary>What it is about.</summary>
    public required CheckFindingKind Kind { get; init; }

    /// <summary>
    /// Where it is in the file, in bytes: the field or table entry that is wrong, or the cluster whose refcount is.
    /// </summary>
    public required long HostOffset { get; init; }

    /// <summary>The guest's cluster that it belongs to, in bytes of the disk; null if it belongs to none.</summary>
    public long? GuestOffset { get; init; }

    /// <summary>The id of the snapshot whose tables it is in; null for the active disk and all else. It is untrusted text.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>The refcount that the image records for the cluster, where the finding is about one.</summary>
    public ulong? Refcount { get; init; }

    /// <summary>How many references to the cluster were found, where the finding is about that.</summary>
    public ulong? References { get; init; }

    /// <summary>What is wrong, its value and the rule, safe for a terminal; the positions above are not repeated in it.</summary>
    public required string Message { get; init; }
}
