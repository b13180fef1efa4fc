namespace Qcow2Stream.FileSystems.Entries;

/// <summary>What a walk over a tree comes to.</summary>
/// <param name="Path">The path from the directory where the walk started, with a slash before each name.</param>
/// <param name="Entry">The entry.</param>
/// <param name="Depth">How many directories lie between: 0 for what is in the first one itself.</param>
internal readonly record struct WalkStep(string Path, GuestEntry Entry, int Depth);
