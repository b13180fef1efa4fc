using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>A program that ran to its end, and what the system says that it took: its largest memory and its processor time. On Linux only.</summary>
/// <param name="ExitCode">What it returned; 128 and its number for a signal that ended it.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="MaxMemory">The most memory that it had at once, in bytes.</param>
/// <param name="ProcessorTime">How long it computed.</param>
internal sealed partial record MeasuredChild(int ExitCode, byte[] Output, string Error, long MaxMemory, TimeSpan ProcessorTime)
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const int NoHang = 1;
    private const int PollMilliseconds = 2;
    private const int WriteCreateTruncate = 0x241;

    // As much as struct rusage, and posix_spawn_file_actions_t, have on any Linux.
    private const int UsageLength = 256;
    private const int ActionsLength = 256;

    /// <summary>Runs a program; it is killed if it computes for longer than a test can mean.</summary>
    [SupportedOSPlatform("linux")]
    public static unsafe MeasuredChild Run(int mostSeconds, params string[] command)
    {
        using TempDirectory directory = new();
        (string output, string error) = (directory.File("out"), directory.File("err"));

        // The shell sets the limit, and becomes the program.
        string[] words = ["sh", "-c", $"ulimit -t {mostSeconds}; exec \"$@\"", "sh", .. command];
        byte* actions = stackalloc byte[ActionsLength];
        Check(InitActions(actions));
        Check(AddOpen(actions, StandardOutput, output, WriteCreateTruncate, 0b110_000_000));
        Check(AddOpen(actions, StandardError, error, WriteCreateTruncate, 0b110_000_000));
        nint[] arguments = [.. words.Select(Marshal.StringToCoTaskMemUTF8), 0];
        nint[] environment = [.. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Select(variable => Marshal.StringToCoTaskMemUTF8($"{variable.Key}={variable.Value}")), 0];
        int process;
        fixed (nint* argumentPointer = arguments, environmentPointer = environment)
        {
            Check(Spawn(out process, "sh", actions, attributes: null, argumentPointer, environmentPointer));
        }

        Array.ForEach(arguments, Marshal.FreeCoTaskMem);
        Array.ForEach(environment, Marshal.FreeCoTaskMem);
        Check(DestroyActions(actions));
        long* usage = stackalloc long[UsageLength / sizeof(long)];
        int status;
        int ended;
        long memory = 0;
        while ((ended = Wait(process, out status, NoHang, usage)) == 0)
        {
            memory = Math.Max(memory, PeakOf(process));
            Thread.Sleep(PollMilliseconds);
        }

        if (ended < 0)
        {
            throw new Win32Exception();
        }

        // struct rusage: ru_utime and ru_stime, each in seconds and microseconds.
        TimeSpan time = TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3]);
        int code = (status & 0x7F) == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F);
        return new MeasuredChild(code, File.ReadAllBytes(output), File.ReadAllText(error, Encoding.UTF8), memory, time);
    }

    /// <summary>
    /// The most memory that a running process has had, and those that it started, in bytes; 0 for one that has ended. (What wait4 says of it counts that of
    /// its parent too.)
    /// </summary>
    private static long PeakOf(int process)
    {
        try
        {
            long below = Directory.EnumerateDirectories($"/proc/{process}/task").SelectMany(thread => File.ReadAllText(thread + "/children").Split(' '))
                .Sum(child => child.Length == 0 ? 0 : PeakOf(int.Parse(child, CultureInfo.InvariantCulture)));
            string? peak = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return below + (peak is null ? 0 : long.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Spawn(out int process, string file, byte* actions, byte* attributes, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static unsafe partial int InitActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static unsafe partial int DestroyActions(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    private static unsafe partial int Wait(int process, out int status, int options, long* usage);
}
