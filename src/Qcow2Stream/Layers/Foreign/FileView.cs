namespace Qcow2Stream.Layers.Foreign;

/// <summary>What DiscUtils gets to see of a host file: by default, all of it.</summary>
/// <param name="Start">The first byte.</param>
/// <param name="Length">The number of bytes; null for all that follow.</param>
/// <param name="MostGrain">In a file of compressed grains, the most bytes of one, with its header; otherwise null.</param>
internal readonly record struct FileView(long Start, long? Length, int? MostGrain);
