using System.Text;
using Shared;

namespace Qcow2Stream.Cli.Limits;

/// <summary>
/// Standard error for messages, a line each. Names of files, of servers and out of images are anybody's text: whatever a message quotes, no control
/// character reaches the terminal, and no line that isn't the program's.
/// </summary>
internal sealed class PrintableErrors : TextWriter
{
    private static readonly Lazy<TextWriter> Terminal = new(() => Synchronized(
        new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true }));

    /// <summary>The same place for what isn't a message: bars, which move the cursor.</summary>
    public static TextWriter Unescaped => Terminal.Value;

    public override Encoding Encoding => Encoding.UTF8;

    public static void Install() => Console.SetError(new PrintableErrors());

    /// <summary>Opens the place now: what becomes of the process's standard error from now on doesn't matter to messages.</summary>
    public static void Open() => _ = (Terminal.Value, Console.IsErrorRedirected);

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value) => Try(() => Terminal.Value.Write(PrintableText.Escape(value ?? "")));

    public override void WriteLine() => Try(Terminal.Value.WriteLine);

    public override void WriteLine(string? value) => Try(() => Terminal.Value.WriteLine(PrintableText.Escape(value ?? "")));

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
