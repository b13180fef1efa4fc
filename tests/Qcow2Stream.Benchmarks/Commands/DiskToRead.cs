namespace Qcow2Stream.Benchmarks.Commands;

/// <param name="Name">What the table calls it.</param>
/// <param name="Image">The path of the image.</param>
/// <param name="Raw">The path of a file with the guest's bytes.</param>
internal sealed record DiskToRead(string Name, Func<string> Image, Func<string> Raw);
