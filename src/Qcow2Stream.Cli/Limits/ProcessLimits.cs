using System.Globalization;
using System.Runtime.InteropServices;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli.Limits;

/// <summary>
/// What the process may take of the machine. The readers of some file systems believe what a disk says, and could compute or fill memory for ever: the
/// heap is limited in any case (System.GC.HeapHardLimit), and by the system what lies beside it, and how long is computed without reading anything.
/// </summary>
internal static partial class ProcessLimits
{
    // Time of a processor since the disk was last read.
    private const int MostIdleSeconds = 300;

    // Beside what is reserved at the start: stacks, and what the runtime needs outside the heap.
    private const long MostMoreMemory = 1L << 30;

    // Where it isn't, without /proc, the heap's limit is all.
    private const string OwnMemory = "/proc/self/statm";

    private const int Processor = 0;
    private const int RenewalMilliseconds = 10_000;

    // SIGXCPU and SIGXFSZ, on Linux and macOS.
    private const PosixSignal ProcessorTimeExceeded = (PosixSignal)24;
    private const PosixSignal FileSizeExceeded = (PosixSignal)25;

    // On Linux; macOS doesn't enforce it.
    private const int AddressSpace = 9;

    private static readonly string Message =
        $"qcow2: given up: the limit of a processor's time is reached (without reading the disk, {MostIdleSeconds} s: a damaged file system can keep its reader busy)";

    private static readonly Lock Turn = new();
    private static readonly Dictionary<int, ulong> Started = [];
    private static PosixSignalRegistration? _registration;
    private static PosixSignalRegistration? _sizeRegistration;
    private static long _nextRenewal;

    /// <summary>
    /// A file that the user's limit lets grow no further is an error of writing, and no end. For good: the signal for it may come when the write has long
    /// failed.
    /// </summary>
    public static void MakeFileSizeAnError() =>
        _sizeRegistration ??= OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(FileSizeExceeded, context => context.Cancel = true);

    /// <summary>Limits the process, from now on, and returns the disk to be read: reading it gives more time.</summary>
    /// <param name="disk">The disk whose guest is looked at; it is then owned.</param>
    /// <param name="keyMemory">What the derivation of a key may take, in bytes.</param>
    public static IBlockSource Watch(Qcow2Chain disk, long keyMemory = 0)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            _registration ??= PosixSignalRegistration.Create(ProcessorTimeExceeded, _ => Ending.Now(Message, ExitCodes.Failure));
            Renew();
        }

        if (OperatingSystem.IsLinux() && File.Exists(OwnMemory))
        {
            long reserved = long.Parse(File.ReadAllText(OwnMemory).Split(' ')[0], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
            Lower(AddressSpace, (ulong)(reserved + MostMoreMemory + keyMemory));
        }

        return new WatchedDisk(disk);
    }

    /// <summary>The disk was read: computing may go on.</summary>
    public static void Renew()
    {
        if (OperatingSystem.IsWindows() || Environment.TickCount64 < Volatile.Read(ref _nextRenewal))
        {
            return;
        }

        lock (Turn)
        {
            Volatile.Write(ref _nextRenewal, Environment.TickCount64 + RenewalMilliseconds);
            Lower(Processor, (ulong)Environment.CpuUsage.TotalTime.TotalSeconds + MostIdleSeconds);
        }
    }

    /// <summary>Sets a limit, but none above that which the process was started with.</summary>
    private static void Lower(int resource, ulong limit)
    {
        if (GetLimit(resource, out Limit now) == 0)
        {
            ulong most = Started.TryGetValue(resource, out ulong started) ? started : Started[resource] = now.Soft;
            now.Soft = Math.Min(limit, most);
            _ = SetLimit(resource, in now);
        }
    }

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, in Limit limit);

    /// <summary>struct rlimit.</summary>
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
