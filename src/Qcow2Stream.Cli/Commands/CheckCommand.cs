using System.CommandLine;

namespace Qcow2Stream.Cli.Commands;

/// <summary>check: whether an image's tables and refcounts are sound.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        RemoteOptions remote = new();
        Option<string> output = CommonOptions.Output("text: a line per finding, then the totals; json: the fields of 'qemu-img check --output=json', and all findings.");
        Command command = new("check", "Checks the tables and refcounts of a qcow2 image. Repairs nothing, opens no other file, and needs no key.")
        {
            image, output,
        };
        remote.AddTo(command);
        command.SetHelpText("""
            Exit codes: 0 clean, 2 corruptions, 3 leaked clusters only, 1 the check could not be made or completed.

            Example: qcow2 check disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            using ImageCheck check = ImageCheck.Open(remote.Open(parsed.GetRequiredValue(image), parsed));
            using Stream target = StandardOutput.Open();
            CheckSummary summary = parsed.GetValue(output) == "json" ? check.WriteJson(target) : check.WriteText(target);
            return summary switch
            {
                { CheckErrors: > 0 } => ExitCodes.Failure,
                { Corruptions: > 0 } => ExitCodes.Corruptions,
                { Leaks: > 0 } => ExitCodes.Leaks,
                _ => ExitCodes.Success,
            };
        });
        return command;
    }
}
