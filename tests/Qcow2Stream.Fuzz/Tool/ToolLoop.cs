using System.Runtime.Versioning;

namespace Qcow2Stream.Fuzz.Tool;

/// <summary>
/// Runs the command line on damaged disks, one after the other, as a process of its own each time: it ends, with exit code 0 or 1, in half a gibibyte and a
/// minute of a processor, and what it says are lines of its own.
/// </summary>
/// <param name="binary">The tool.</param>
[SupportedOSPlatform("linux")]
internal sealed class ToolLoop(string binary)
{
    private const long MostMemory = 512 << 20;
    private const int MostSeconds = 60;

    /// <summary>Runs for a time.</summary>
    /// <param name="first">The first seed; each disk has the next.</param>
    /// <param name="time">How long.</param>
    /// <returns>How many runs were not as they should be; each is written to standard output.</returns>
    public int Run(int first, TimeSpan time)
    {
        GuestMutations guests = new();
        long end = Environment.TickCount64 + (long)time.TotalMilliseconds;
        (int seed, int failures, long memory, TimeSpan processor) = (first, 0, 0, default);
        for (; Environment.TickCount64 < end; seed++)
        {
            using TempDirectory directory = new();
            string disk = directory.File("disk.raw");
            string name = guests.Write(seed, disk);
            string[][] commands = [["df", disk], ["ls", "-R", "-l", disk], ["cp", disk, "/", directory.File("out")]];
            foreach (string[] command in commands)
            {
                MeasuredChild child = MeasuredChild.Run(MostSeconds, [binary, .. command]);
                (memory, processor) = (Math.Max(memory, child.MaxMemory), child.ProcessorTime > processor ? child.ProcessorTime : processor);
                if (FaultOf(child) is { } fault)
                {
                    failures++;
                    Console.WriteLine($"seed {seed}, {name}, {command[0]}: {fault}");
                }
            }

            if (directory.File("out") is var copy && Directory.Exists(copy))
            {
                // Directories without the right to write are the guest's own.
                MeasuredChild.Run(MostSeconds, "chmod", "-R", "u+rwX", copy);
            }
        }

        Console.WriteLine($"{seed - first} disks from seed {first} on, {failures} faults; at most {memory >> 20} MiB and {processor.TotalSeconds:F1} s of a processor");
        return failures;
    }

    private static string? FaultOf(MeasuredChild child)
    {
        string lastLine = child.Error.TrimEnd('\n').Split('\n')[^1];
        return child.ExitCode is not (0 or 1) ? $"exit code {child.ExitCode}: {lastLine}"
            : child.MaxMemory > MostMemory ? $"{child.MaxMemory} bytes of memory"
            : child.Error.Any(letter => char.IsControl(letter) && letter != '\n') ? "a control character in a message"
            : child.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(line => !line.StartsWith("qcow2: ", StringComparison.Ordinal)) is { } line ? $"a line that isn't the tool's: {line}"
            : child.Error.Contains("an error that should not be", StringComparison.Ordinal) ? lastLine
            : null;
    }
}
