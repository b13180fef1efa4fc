namespace Qcow2Stream.Tests.Malformed;

/// <summary>A field of an image's metadata.</summary>
/// <param name="Kind">What it belongs to.</param>
/// <param name="Offset">Where it is in the file.</param>
/// <param name="Width">1, 2, 4 or 8 bytes.</param>
internal readonly record struct ImageField(string Kind, long Offset, int Width);
