using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Qcow2Stream.Benchmarks.Processes;

/// <summary>
/// Runs a program from posix_spawn to waitpid, with nothing of the Process class between: that one learns of an end by a
/// signal and in another thread, which is half the time of a program that ends after 3 ms.
/// </summary>
internal static unsafe partial class SpawnedProcess
{
    private const int Interrupted = 4;
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;

    // posix_spawn_file_actions_t: 80 bytes in glibc, 272 in musl, a pointer elsewhere.
    private const int FileActionsSize = 1024;

    private static readonly string?[] Variables =
    [
        .. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}"),
        null,
    ];

    /// <summary>How long the program takes, its standard output going to the null device.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static TimeSpan Time(ProgramCall call)
    {
        string?[] arguments = [call.File, .. call.Arguments, null];
        void* actions = NativeMemory.AllocZeroed(FileActionsSize);
        try
        {
            ThrowUnlessZero(InitializeActions(actions), call);
            ThrowUnlessZero(AddOpen(actions, 0, "/dev/null", ReadOnly, 0), call);
            ThrowUnlessZero(AddOpen(actions, 1, "/dev/null", WriteOnly, 0), call);
            long start = Stopwatch.GetTimestamp();
            ThrowUnlessZero(Spawn(out int process, call.File, actions, null, arguments, Variables), call);
            int status;
            while (Wait(process, out status, 0) < 0)
            {
                ThrowUnlessZero(Marshal.GetLastPInvokeError() == Interrupted ? 0 : Marshal.GetLastPInvokeError(), call);
            }

            TimeSpan time = Stopwatch.GetElapsedTime(start);
            return status == 0 ? time : throw new InvalidOperationException($"{call} ended with status 0x{status:x}");
        }
        finally
        {
            _ = DestroyActions(actions);
            NativeMemory.Free(actions);
        }
    }

    private static void ThrowUnlessZero(int error, ProgramCall call)
    {
        if (error != 0)
        {
            throw new InvalidOperationException($"{call} does not start: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitializeActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(void* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(out int process, string file, void* actions, void* attributes, string?[] arguments, string?[] variables);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int Wait(int process, out int status, int options);
}
