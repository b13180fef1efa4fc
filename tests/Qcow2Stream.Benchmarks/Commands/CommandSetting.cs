using Qcow2Stream.Benchmarks.Images;

namespace Qcow2Stream.Benchmarks.Commands;

/// <summary>What every row of commands needs.</summary>
/// <param name="Images">The images.</param>
/// <param name="NativeBinary">The path of ours.</param>
/// <param name="Runs">How many pairs are run.</param>
internal sealed record CommandSetting(BenchmarkImages Images, string NativeBinary, int Runs);
