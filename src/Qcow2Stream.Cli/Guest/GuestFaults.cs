namespace Qcow2Stream.Cli.Guest;

/// <summary>Reports what can't be read of a guest, on standard error, and remembers that there was something.</summary>
internal sealed class GuestFaults
{
    public bool Any { get; private set; }

    public int ExitCode => Any ? ExitCodes.Failure : ExitCodes.Success;

    public void Report(string path, string message)
    {
        Any = true;
        Console.Error.WriteLine($"qcow2: {PrintableText.Escape(path)}: {message}");
    }
}
