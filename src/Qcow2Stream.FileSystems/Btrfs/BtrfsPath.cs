namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>Where a subvolume is.</summary>
/// <param name="Text">Names with slashes between them, from the top-level one; null if that isn't known.</param>
/// <param name="Fault">Why it isn't known.</param>
internal readonly record struct BtrfsPath(string? Text, string? Fault);
