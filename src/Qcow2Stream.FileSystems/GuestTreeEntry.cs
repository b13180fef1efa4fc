namespace Qcow2Stream.FileSystems;

/// <summary>An entry of a tree that is walked.</summary>
/// <param name="Path">Its path from where the walk started, with a slash before each name. Untrusted text.</param>
/// <param name="Entry">The entry.</param>
public readonly record struct GuestTreeEntry(string Path, GuestEntry Entry);
