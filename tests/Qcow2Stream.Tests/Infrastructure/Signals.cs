using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Tests.Infrastructure;

/// <summary>Signals of Unix for other processes, which .NET has not.</summary>
internal static partial class Signals
{
    public const int Interrupt = 2;
    public const int Terminate = 15;

    public static void Send(this Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
