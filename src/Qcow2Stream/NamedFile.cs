namespace Qcow2Stream;

/// <summary>A file that an image names, before it is opened.</summary>
/// <param name="Kind">What it is named for.</param>
/// <param name="Name">The name as recorded; of a <c>json:</c> name, the file name in it. It is untrusted text.</param>
/// <param name="Format">The format as recorded, or as a <c>json:</c> name gives it; null if none is. It is untrusted text.</param>
/// <param name="ImagePath">The image that names it, as it was opened; null for a stream without a name.</param>
public readonly record struct NamedFile(NamedFileKind Kind, string Name, string? Format, string? ImagePath);
