using System.CommandLine;

namespace Qcow2Stream.Cli.Commands;

/// <summary>read: guest bytes to standard output.</summary>
internal static class ReadCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new();
        Option<long?> offset = CommonOptions.Size("--offset", "Where in the guest's disk to start.");
        Option<long?> length = CommonOptions.Size("--length", "How much to write; by default all up to the end of the disk.");
        Command command = new("read", "Writes the guest's disk, or a range of it, to standard output.")
        {
            image, offset, length,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            Example: qcow2 read --length 512 disk.qcow2 | xxd
            """);
        command.SetAction(parsed =>
        {
            using Qcow2Chain chain = chainOptions.Open(parsed.GetRequiredValue(image), parsed);
            using Stream target = StandardOutput.Open();
            chain.CopyTo(parsed.GetValue(offset) ?? 0, parsed.GetValue(length) ?? long.MaxValue, target);
            return ExitCodes.Success;
        });
        return command;
    }
}
