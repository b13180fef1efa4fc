using System.CommandLine;
using System.Text;

namespace Qcow2Stream.Cli.Commands;

/// <summary>inspect: what can be said of an image that does not open.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new();
        Command command = new("inspect", "Tells whatever can be told of an image that does not open, and why it does not.")
        {
            image,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            Prints the header as it stands, then how far each step gets: the image alone, its chain,
            and a walk over its tables. What is damaged is told, and is no failure of this command.

            Example: qcow2 inspect broken.qcow2
            """);
        command.SetAction(parsed =>
        {
            using Stream target = StandardOutput.Open();
            foreach (string line in ImageInspection.Inspect(() => chainOptions.OpenFile(parsed.GetRequiredValue(image), parsed), chainOptions.Parse(parsed)))
            {
                target.Write(Encoding.UTF8.GetBytes(line + "\n"));
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
