using Qcow2Stream.Images;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>An extent with its file: a part of the disk.</summary>
internal sealed record VmdkPart
{
    /// <summary>Where it is on the disk, in bytes.</summary>
    public required long Start { get; init; }

    /// <summary>How long it is, in bytes; 1 or more.</summary>
    public required long Length { get; init; }

    /// <summary>Its file; null if it is zeros.</summary>
    public TableFile? Source { get; init; }

    /// <summary>Where in the file the bytes of a flat extent start, in bytes.</summary>
    public long FlatOffset { get; init; }

    /// <summary>The header of a sparse extent; null for others.</summary>
    public SparseHeader? Header { get; init; }

    /// <summary>How many grain tables the extents before it have, of all of the disk.</summary>
    public long FirstTable { get; init; }

    /// <summary>Whether the file is the image's own: others have no name in a map.</summary>
    public bool IsOwnFile { get; init; }

    /// <summary>Where on the disk it ends, in bytes.</summary>
    public long End => Start + Length;
}
