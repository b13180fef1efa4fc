using System.CommandLine;

namespace Qcow2Stream.Cli.Commands;

/// <summary>inspect: what can be said of an image that does not open.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new();
        Option<string> output = CommonOptions.Output("text: lines 'STEP: WHAT'; json: an array of objects with step and text.");
        Command command = new("inspect", "Shows whatever can be found out about an image that does not open, and why it does not.")
        {
            image, output,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            Prints the header as it is, then how far each step gets: the image alone, its chain,
            and a walk over its tables. Damage is reported, and isn't a failure of this command.

            Example: qcow2 inspect broken.qcow2
            """);
        command.SetAction(parsed =>
        {
            IEnumerable<InspectionStep> steps = ImageInspection.Inspect(
                chainOptions.OpenFile(parsed.GetRequiredValue(image), parsed), chainOptions.Parse(parsed))
                .Select(step => step.Error is { } error ? step with { Text = step.Text.Replace(error.Message, OptionWords.Of(error), StringComparison.Ordinal) } : step);
            using Stream target = StandardOutput.Open();
            Action<Stream> write = parsed.GetValue(output) == "json" ? steps.WriteJson : steps.WriteText;
            write(target);
            return ExitCodes.Success;
        });
        return command;
    }
}
