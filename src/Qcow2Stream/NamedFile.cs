namespace Qcow2Stream;

/// <summary>A file that an image names, before it is opened.</summary>
public readonly record struct NamedFile
{
    /// <summary>What it is named for.</summary>
    public required NamedFileKind Kind { get; init; }

    /// <summary>The name as recorded; of a <c>json:</c> name, the file name in it. It is untrusted text.</summary>
    public required string Name { get; init; }

    /// <summary>The format as recorded, or as a <c>json:</c> name gives it; null if none is. It is untrusted text.</summary>
    public string? Format { get; init; }

    /// <summary>The image that names it, as it was opened; null for a stream without a name.</summary>
    public string? ImagePath { get; init; }
}
