namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>A program with its arguments.</summary>
internal sealed record ProgramCall(string File, params string[] Arguments)
{
    public override string ToString() => $"{File} {string.Join(' ', Arguments)}";
}
