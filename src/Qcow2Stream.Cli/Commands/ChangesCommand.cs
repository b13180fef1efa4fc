using System.CommandLine;

namespace Qcow2Stream.Cli.Commands;

/// <summary>changes: what differs between two disks of one chain.</summary>
internal static class ChangesCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new(withSnapshot: false);
        Option<DiskPoint> from = Point("--from", "The disk that is there already.");
        Option<DiskPoint> to = Point("--to", "The disk wanted.");
        Option<string> output = CommonOptions.Output("text: the lines below; json: the fields of 'dump-map --output json'.");
        from.Required = true;
        to.DefaultValueFactory = _ => DiskPoint.Active;
        Command command = new("changes", "Prints which ranges differ, by what is allocated where, between two disks of one chain.")
        {
            image, from, to, output,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            A disk is one of:
            active         IMAGE as it is now
            snapshot:NAME  an internal snapshot of IMAGE, by its id or name
            depth:N        what layer N of the chain and those below it show; 0 is IMAGE

            Each line is a range that must be copied to get from the one to the other, in the form of
            dump-map: START LENGTH for zeros, START LENGTH DEPTH POS [BYTES] for data. No data is read.

            Example: qcow2 changes disk.qcow2 --from snapshot:monday --to active
            """);
        command.SetAction(parsed =>
        {
            using Qcow2Chain chain = chainOptions.Open(parsed.GetRequiredValue(image), parsed);
            using Stream target = StandardOutput.Open();
            IEnumerable<MapExtent> changes = chain.GetChanges(parsed.GetValue(from), parsed.GetValue(to));
            Action<Stream> write = parsed.GetValue(output) == "json" ? changes.WriteJson : changes.WriteText;
            write(target);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Option<DiskPoint> Point(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "active|snapshot:NAME|depth:N",
        CustomParser = result =>
        {
            if (!DiskPoint.TryParse(result.Tokens[0].Value, out DiskPoint point))
            {
                result.AddError($"a disk is active, snapshot:NAME or depth:N, not '{result.Tokens[0].Value}'");
            }

            return point;
        },
    };
}
