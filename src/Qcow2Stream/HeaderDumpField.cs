namespace Qcow2Stream;

/// <summary>A field of a header as it is in the file: see <see cref="HeaderDump.Fields"/>.</summary>
public sealed record HeaderDumpField
{
    internal HeaderDumpField()
    {
    }

    /// <summary>The specification's name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is, in bytes from the start of the file.</summary>
    public required int HostOffset { get; init; }

    /// <summary>Its value; null if the file ends before it.</summary>
    public ulong? Value { get; init; }

    /// <summary>For feature bits, those that are set, the lowest first; null for other fields.</summary>
    public IReadOnlyList<HeaderDumpFeature>? Features { get; init; }

    /// <summary>Whether QEMU's script prints it so.</summary>
    internal bool IsHexadecimal { get; init; }
}
