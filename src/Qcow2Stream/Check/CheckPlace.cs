namespace Qcow2Stream.Check;

/// <summary>The spot that is being checked: the field or table entry, and whose it is.</summary>
/// <param name="What">A name for messages, such as "L2 entry".</param>
/// <param name="HostOffset">Where it is in the file.</param>
/// <param name="GuestOffset">The guest's cluster, if it belongs to one.</param>
/// <param name="SnapshotId">The snapshot, if it belongs to one.</param>
internal readonly record struct CheckPlace(string What, long HostOffset, long? GuestOffset = null, string? SnapshotId = null);
