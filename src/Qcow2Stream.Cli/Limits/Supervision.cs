using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.Cli.Limits;

/// <summary>
/// A guest's file systems are read in a child of the process: not all readers are ours, and one can end a process in a way that nothing in it can catch (a
/// stack that overflows). The parent waits, hands on the signals that it gets, and makes a line of such an end.
/// </summary>
internal static partial class Supervision
{
    // Set for the child, to the parent's number.
    private const string Variable = "QCOW2_SUPERVISED_BY";

    // A process that a signal ended has this and the signal's number as its exit code. What runs on Windows ends in a negative one.
    private const int FirstSignalCode = 128;

    private const int StandardError = 2;
    private const int GetDescriptorFlags = 1;
    private const int SetParentDeathSignal = 1;
    private const int Kill = 9;

    // SIGHUP, SIGINT, SIGPIPE and SIGTERM: somebody wanted it to end.
    private static readonly int[] Requested = [1, 2, 13, 15];

    /// <summary>Runs this command in a child.</summary>
    /// <returns>What the command returned; null if this is the child, which is to run it.</returns>
    public static int? Run()
    {
        string parent = Environment.GetEnvironmentVariable(Variable) ?? "";
        if (parent.Length > 0 && (OperatingSystem.IsWindows() || parent == Text(GetParent())))
        {
            HoldTogether();
            return null;
        }

        using Process child = Start();
        using PosixSignalRegistration interrupt = HandOn(child, PosixSignal.SIGINT, 2);
        using PosixSignalRegistration terminate = HandOn(child, PosixSignal.SIGTERM, 15);
        using PosixSignalRegistration hangUp = HandOn(child, PosixSignal.SIGHUP, 1);
        child.WaitForExit();
        if (child.ExitCode is >= 0 and <= FirstSignalCode || child.ExitCode == ExitCodes.Interrupted || Requested.Contains(child.ExitCode - FirstSignalCode))
        {
            return child.ExitCode;
        }

        Console.Error.WriteLine(
            $"qcow2: the reader was ended by the system (code {Text(child.ExitCode)}): what a guest's file system says leads too deep, or takes too much (it may be damaged)");
        return ExitCodes.Failure;
    }

    private static Process Start()
    {
        string program = Environment.ProcessPath!;
        string[] words = Environment.GetCommandLineArgs();
        bool isHost = Path.GetFileNameWithoutExtension(program) == "dotnet";
        ProcessStartInfo start = new(program, isHost ? words : words[1..]) { UseShellExecute = false };
        start.Environment[Variable] = Text(Environment.ProcessId);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new IOException($"a guest's file systems are read in a process of its own, which can't be started: {e.Message}", e);
        }
    }

    private static PosixSignalRegistration HandOn(Process child, PosixSignal signal, int number) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        if (!OperatingSystem.IsWindows() && !child.HasExited)
        {
            _ = Send(child.Id, number);
        }
    });

    /// <summary>The child ends with the parent; and what the runtime has to say of its end, a stack trace, goes nowhere: the parent says it.</summary>
    private static void HoldTogether()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = ControlProcess(SetParentDeathSignal, Kill);
        }

        PrintableErrors.Open();
        if (!OperatingSystem.IsWindows() && ControlDescriptor(StandardError, GetDescriptorFlags) == 0)
        {
            using SafeFileHandle nowhere = File.OpenHandle("/dev/null", access: FileAccess.Write);
            _ = Duplicate(nowhere, StandardError);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ControlProcess(int operation, nuint value);

    // Variadic: its two first arguments go where every function has them.
    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int ControlDescriptor(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(SafeFileHandle from, int to);
}
