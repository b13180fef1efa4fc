namespace Qcow2Stream.Benchmarks.Images;

/// <summary>Guest clusters that follow one another, in the file too: <paramref name="Place"/> counts clusters of the image's data area.</summary>
/// <param name="First">The first guest cluster.</param>
/// <param name="Count">How many clusters.</param>
/// <param name="Place">Where the first lies; null for zero clusters, which lie nowhere.</param>
internal readonly record struct ClusterRun(long First, int Count, int? Place);
