using System.CommandLine;

namespace Qcow2Stream.Benchmarks.Libqcow;

/// <summary>Reads a whole disk with libqcow: what the rows against it run.</summary>
internal static class LibqcowCommand
{
    public const string Name = "libqcow-read";

    /// <summary>The path of this program.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, typeof(LibqcowCommand).Assembly.GetName().Name!);

    public static Command Create()
    {
        Argument<string> image = new("IMAGE");
        Command command = new(Name, "Reads the whole disk of an image with libqcow.") { image };
        command.SetAction(parsed =>
        {
            using LibqcowFile file = new(parsed.GetRequiredValue(image));
            file.ReadAll(_ => { });
        });
        return command;
    }
}
