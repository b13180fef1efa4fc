using System.CommandLine;
using System.Text;

namespace Qcow2Stream.Cli.Commands;

/// <summary>dump-header: the header's fields and extensions as they are in the file.</summary>
internal static class DumpHeaderCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        RemoteOptions remote = new();
        Option<string> output = CommonOptions.Output("text, or json with all numbers as numbers.");
        Command command = new("dump-header", "Prints the header fields and header extensions of a qcow2 image as they are in the file.")
        {
            image, output,
        };
        remote.AddTo(command);
        command.SetHelpText("""
            The names are the specification's. Feature bits come with their names, where the image
            or the specification gives one. Nothing is checked: see inspect for what is wrong.

            Example: qcow2 dump-header disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            using Stream target = StandardOutput.Open();
            HeaderDump header = HeaderDump.Read(remote.Open(parsed.GetRequiredValue(image), parsed));
            if (parsed.GetValue(output) == "json")
            {
                header.WriteJson(target);
            }
            else
            {
                target.Write(Encoding.UTF8.GetBytes(header.ToString()));
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
