using System.Text;
using Shared;

namespace Qcow2Stream.Cli.Limits;

/// <summary>
/// Standard error for messages, a line each. Names of files, of servers and out of images are anybody's text: whatever a message quotes, no control
/// character reaches the terminal, and no line that isn't the program's.
/// </summary>
internal sealed class PrintableErrors : TextWriter
{
    private const int StandardError = 2;

    /// <summary>The same place for what isn't a message: bars, which move the cursor.</summary>
    public static TextWriter Unescaped { get; private set; } = Open(StandardError);

    public override Encoding Encoding => Encoding.UTF8;

    public static void Install() => Console.SetError(new PrintableErrors());

    /// <summary>From now on messages go there, and standard error is what only the runtime writes to.</summary>
    public static void MoveTo(int descriptor)
    {
        // Asked now, and kept by the runtime.
        _ = Console.IsErrorRedirected;
        Unescaped = Open(descriptor);
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value) => Try(() => Unescaped.Write(PrintableText.Escape(value ?? "")));

    public override void WriteLine() => Try(Unescaped.WriteLine);

    public override void WriteLine(string? value) => Try(() => Unescaped.WriteLine(PrintableText.Escape(value ?? "")));

    private static TextWriter Open(int descriptor) => Synchronized(
        new StreamWriter(StandardOutput.OpenError(descriptor), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true });

    /// <summary>Where messages can't be written (the place is closed, or full), the exit code says enough.</summary>
    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // There is nowhere left to say it.
        }
    }
}
