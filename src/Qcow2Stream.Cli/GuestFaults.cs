using Shared;

namespace Qcow2Stream.Cli;

/// <summary>Reports what can't be read of a guest, and remembers that there was something.</summary>
/// <param name="messages">Where to: standard error.</param>
internal sealed class GuestFaults(TextWriter messages)
{
    public bool Any { get; private set; }

    public int ExitCode => Any ? ExitCodes.Failure : ExitCodes.Success;

    public void Report(string path, string message)
    {
        Any = true;
        messages.WriteLine($"qcow2: {PrintableText.Escape(path)}: {PrintableText.Escape(OptionWords.Of(message))}");
    }
}
