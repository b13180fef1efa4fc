using System.CommandLine;
using Qcow2Stream.Cli.Comparing;
using Qcow2Stream.Cli.Limits;

namespace Qcow2Stream.Cli.Commands;

/// <summary>compare: whether two disks are the same, and where they are not.</summary>
internal static class CompareCommand
{
    public const string Name = "compare";

    public static Command Create()
    {
        Argument<string> first = new Argument<string>("A") { Description = "A disk image, as IMAGE is elsewhere." }.NotEmpty();
        Argument<string> second = new Argument<string>("B") { Description = "Another." }.NotEmpty();
        ChainOptions chainOptions = new(withSnapshot: false, forOneImage: false);
        Option<string> firstSnapshot = Snapshot("--snapshot-a", "A");
        Option<string> secondSnapshot = Snapshot("--snapshot-b", "B");
        Option<bool> strict = new("--strict") { Description = "Disks of different sizes differ, even if the rest of the larger is zeros." };
        Option<string> output = CommonOptions.Output("text: the lines below; json: an object with sizes, offset and the fields of 'dump-map --output json'.");
        Command command = new(Name, "Compares two guest disks byte by byte, and shows the first difference and where it is stored in both.")
        {
            first, second, firstSnapshot, secondSnapshot, strict, output,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            For a difference, prints its first byte, and for each image the line of dump-map that starts there:
            START LENGTH for zeros, START LENGTH DEPTH POS [BYTES] for data. Past its end a disk is zeros.

            Exit codes:
              0  the disks are the same
              1  they differ
              2  an image could not be read, or the command line is wrong

            Example: qcow2 compare disk.qcow2 copy.raw
            """);
        command.SetAction(parsed =>
        {
            using Qcow2Chain a = chainOptions.Open(parsed.GetRequiredValue(first), parsed, parsed.GetValue(firstSnapshot));
            using Qcow2Chain b = chainOptions.Open(parsed.GetRequiredValue(second), parsed, parsed.GetValue(secondSnapshot));
            using Interruption interruption = new();
            long? difference = interruption.Run([a, b], () => ByteProgress.Run(
                "comparing", progress => a.FindDifferenceAsync(b, progress, interruption.Token).GetAwaiter().GetResult()));
            Comparison comparison = new(a, b, parsed.GetValue(strict), difference);
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(output) == "json")
            {
                comparison.WriteJson(target);
            }
            else
            {
                comparison.WriteText(target, parsed.GetRequiredValue(first), parsed.GetRequiredValue(second));
            }

            return comparison.AreSame ? ExitCodes.Success : ExitCodes.Different;
        });
        return command;
    }

    private static Option<string> Snapshot(string name, string image) => new(name)
    {
        Description = $"An internal snapshot of {image}, by id or name, instead of its active disk.",
        HelpName = "NAME",
    };
}
