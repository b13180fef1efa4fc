using System.Globalization;

namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>
/// The most memory that a program had resident, as time(1) reports it. The same figure of a direct child would be of no use:
/// Linux counts into it what the parent had when it made the child, and this parent is larger than what is measured.
/// </summary>
internal static class PeakMemory
{
    private const string Time = "/usr/bin/time";

    public static string? WhyNot { get; } = File.Exists(Time) ? null : "time(1) is not installed";

    /// <summary>Peak resident memory in MiB.</summary>
    public static double Measure(ProgramCall call)
    {
        string report = Path.GetTempFileName();
        try
        {
            SpawnedProcess.Time(new ProgramCall(Time, ["-f", "%M", "-o", report, call.File, .. call.Arguments]));
            return double.Parse(File.ReadAllText(report), CultureInfo.InvariantCulture) / 1024;
        }
        finally
        {
            File.Delete(report);
        }
    }
}
