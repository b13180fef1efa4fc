namespace Qcow2Stream.Cli.Limits;

/// <summary>Ends the process from outside of what it does, which may not end by itself.</summary>
internal static class Ending
{
    // So long a command may take to bring things to an end: nothing half-written is to stay.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    // A reader of standard error may have stopped reading.
    private static readonly TimeSpan MessageTime = TimeSpan.FromSeconds(1);

    /// <summary>Lets a command that listens come to its end; then, or if none does, says why, and ends.</summary>
    public static void Now(string message, int exitCode)
    {
        if (Interruption.Tell())
        {
            Thread.Sleep(Grace);
        }

        Thread writer = new(() => Console.Error.WriteLine(message)) { IsBackground = true };
        writer.Start();
        writer.Join(MessageTime);
        Environment.Exit(exitCode);
    }
}
