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
    private const int LastSignal = 64;

    // As long as a sigset_t is anywhere.
    private const int SignalSetLength = 128;
    private const nint DefaultHandler = 0;

    private const int StandardError = 2;
    private const int SetParentDeathSignal = 1;
    private const int Kill = 9;
    private static readonly int Continue = OperatingSystem.IsMacOS() ? 19 : 18;

    // The numbers of signals that somebody means a process to end by, SIGPIPE beside those that are handed on.
    private static readonly (PosixSignal Signal, int Number)[] HandedOn = [(PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15)];
    private static readonly int[] Requested = [13, .. HandedOn.Select(each => each.Number)];

    /// <summary>How much longer than the child the parent waits for the time that the command may take: a child that somebody has stopped doesn't end itself.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private static readonly Lock Turn = new();
    private static Process? _child;
    private static int _early;

    /// <summary>
    /// Makes sure that the process hears when its child ends: who began it may have ignored or blocked the signal for that, and then it would wait for ever. To be
    /// called before the runtime looks at signals.
    /// </summary>
    public static void HearOfChildren()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            (int childEnded, int unblock) = OperatingSystem.IsLinux() ? (17, 1) : (20, 2);
            byte[] signals = new byte[SignalSetLength];
            _ = SetHandler(childEnded, DefaultHandler);
            _ = Add(signals, childEnded);
            _ = ChangeMask(unblock, signals, 0);
        }
    }

    /// <summary>Runs this command in a child.</summary>
    /// <returns>What the command returned; null if this is the child, which is to run it.</returns>
    /// <exception cref="IOException">There can be no child.</exception>
    public static int? Run()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable(Variable), CultureInfo.InvariantCulture, out int parent))
        {
            HoldTogether(parent);
            return null;
        }

        PosixSignalRegistration[] registrations = [.. HandedOn.Select(each => PosixSignalRegistration.Create(each.Signal, context => HandOn(context, each.Number)))];
        Start();
        _child!.WaitForExit();
        Array.ForEach(registrations, registration => registration.Dispose());
        int code = _child.ExitCode;
        if (code is >= 0 and <= FirstSignalCode or ExitCodes.Interrupted || Requested.Contains(code - FirstSignalCode))
        {
            return code;
        }

        string end = code is > FirstSignalCode and <= FirstSignalCode + LastSignal ? $"signal {code - FirstSignalCode}" : $"code 0x{code:x}";
        Console.Error.WriteLine(
            $"qcow2: the process that reads the guest was ended ({end}): what its file system says may lead too deep, or take more than the system gives, or somebody ended it");
        return ExitCodes.Failure;
    }

    private static void Start()
    {
        string program = Environment.ProcessPath ?? "/proc/self/exe";
        string[] words = Environment.GetCommandLineArgs();
        bool isHost = Path.GetFileName(program) is "dotnet" or "dotnet.exe" && words[0].EndsWith(".dll", StringComparison.OrdinalIgnoreCase);
        ProcessStartInfo start = new(program, isHost ? words : words[1..]) { UseShellExecute = false };
        start.Environment[Variable] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        lock (Turn)
        {
            try
            {
                _child = Process.Start(start)!;
            }
            catch (Win32Exception e)
            {
                throw new IOException($"a guest's file systems are read in a process of its own, which can't be started: {e.Message}", e);
            }

            SendTo(_child, _early);
        }
    }

    private static void HandOn(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        lock (Turn)
        {
            _early = number;
            if (_child is { HasExited: false } child)
            {
                SendTo(child, number);
            }
        }
    }

    private static void SendTo(Process child, int number)
    {
        // A console of Windows has told the child itself.
        if (number != 0 && !OperatingSystem.IsWindows())
        {
            // What somebody has stopped would only hear it later.
            _ = Send(child.Id, number);
            _ = Send(child.Id, Continue);
        }
    }

    /// <summary>The child ends with the parent; and what the runtime has to say of its end, a stack trace, goes nowhere: the parent says it.</summary>
    private static void HoldTogether(int parent)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = ControlProcess(SetParentDeathSignal, Kill);
        }

        if (OperatingSystem.IsWindows())
        {
            return;
        }

        if (GetParent() != parent)
        {
            throw new IOException("the process that began this has ended");
        }

        if (StandardOutput.IsOpen(StandardError) && File.Exists("/dev/null"))
        {
            using SafeFileHandle nowhere = File.OpenHandle("/dev/null", access: FileAccess.Write);
            int messages = DuplicateAny(StandardError);
            if (messages <= StandardError)
            {
                // Another of the standard ones was closed, which is not to be this one now.
                new SafeFileHandle(messages, ownsHandle: true).Dispose();
                return;
            }

            PrintableErrors.MoveTo(messages);
            _ = Duplicate(nowhere, StandardError);
        }
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "sigaddset")]
    private static partial int Add([In, Out] byte[] signals, int signal);

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int ChangeMask(int how, byte[] signals, nint old);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ControlProcess(int operation, nuint value);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int DuplicateAny(int from);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(SafeFileHandle from, int to);
}
