namespace Qcow2Stream;

/// <summary>A feature bit that is set in a header.</summary>
/// <param name="Bit">Its number, from 0 to 63.</param>
/// <param name="Name">Its name, by the image's own feature name table or the specification; null where neither names it. It is untrusted text.</param>
public readonly record struct HeaderDumpFeature(int Bit, string? Name);
