namespace Qcow2Stream;

/// <summary>An internal snapshot of an image (section "Snapshots" of the specification). Immutable.</summary>
public sealed record Qcow2Snapshot
{
    internal Qcow2Snapshot()
    {
    }

    /// <summary>The snapshot's unique id, usually a number as text. It is untrusted text.</summary>
    public required string Id { get; init; }

    /// <summary>The snapshot's name. It is untrusted text.</summary>
    public required string Name { get; init; }

    /// <summary>When it was taken.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>How long the guest had been running, to the nearest 100 ns below.</summary>
    public required TimeSpan VmClock { get; init; }

    /// <summary>The size of the saved state of the virtual machine, in bytes; 0 for a snapshot of the disk alone.</summary>
    public required long VmStateSize { get; init; }

    /// <summary>The size of the disk when the snapshot was taken, in bytes; the active disk's where none is recorded.</summary>
    public required long DiskSize { get; init; }

    /// <summary>The guest's instruction count; null where none is recorded.</summary>
    public long? InstructionCount { get; init; }

    internal uint DateSeconds { get; init; }

    internal uint DateNanoseconds { get; init; }

    internal ulong VmClockNanoseconds { get; init; }

    internal ulong L1TableOffset { get; init; }

    internal uint L1Size { get; init; }

    /// <summary>The bytes that the entry takes in the table, padding included.</summary>
    internal int EntryLength { get; init; }

    /// <summary>The bytes of extra data; version 3 asks for at least <see cref="Format.SnapshotEntry.Version3ExtraData"/>.</summary>
    internal int ExtraDataLength { get; init; }
}
