namespace Qcow2Stream.FileSystems.Entries;

/// <summary>A part of a file's content, in order: bytes that were read into a buffer, or a hole.</summary>
/// <param name="Offset">Where in the file it starts, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="IsHole">Whether it is zeros that are not stored, and were not read.</param>
internal readonly record struct ContentPiece(long Offset, long Length, bool IsHole);
