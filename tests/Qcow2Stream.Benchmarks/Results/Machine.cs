using System.Globalization;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Benchmarks.Results;

/// <summary>What the table was measured on, in one line.</summary>
internal static class Machine
{
    public static string Describe(string sizes)
    {
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        string qemu = Qemu.Img("--version").GetAwaiter().GetResult().Split('\n')[0].Trim();
        return $"{date}, {Processor()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, kernel {Kernel()}, " +
            $"{qemu}, {RuntimeInformation.FrameworkDescription}, {sizes} size";
    }

    private static string Kernel()
    {
        const string Release = "/proc/sys/kernel/osrelease";
        return File.Exists(Release) ? File.ReadAllText(Release).Trim() : Environment.OSVersion.Version.ToString();
    }

    private static string Processor()
    {
        const string Table = "/proc/cpuinfo";
        string? line = File.Exists(Table) ? File.ReadLines(Table).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
