using System.Runtime.InteropServices;

namespace Qcow2Stream.Tests.Malformed;

/// <summary>The processor time that the running thread has used, where the system reports it: other work on the machine does not change it.</summary>
internal static partial class ThreadTime
{
    private const int LinuxThreadClock = 3;

    public static TimeSpan Used =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && GetTime(LinuxThreadClock, out Time time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000)
            : TimeSpan.Zero;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
