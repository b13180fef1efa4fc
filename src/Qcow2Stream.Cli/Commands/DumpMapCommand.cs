using System.CommandLine;

namespace Qcow2Stream.Cli.Commands;

/// <summary>dump-map: where each range of the guest's disk lives.</summary>
internal static class DumpMapCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new();
        Option<long?> start = CommonOptions.Size("--start", "Where in the guest's disk to start.");
        Option<long?> length = CommonOptions.Size("--length", "How much of the guest's disk to map.");
        Option<string> output = new("--output")
        {
            Description = "text: a line an extent, START LENGTH [DEPTH POS [BYTES]]; json: as 'qemu-img map --output=json'; human: as 'qemu-img map'.",
            DefaultValueFactory = _ => "text",
        };
        output.AcceptOnlyFromAmong("text", "json", "human");

        Command command = new("dump-map", "Prints which range of the guest's disk lives where in which file of the chain.")
        {
            image, output, start, length,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            START LENGTH                  nothing is allocated there, or it is all zeros
            START LENGTH DEPTH POS        it is at POS in layer DEPTH: 0 is IMAGE, 1 its backing file, ...
            START LENGTH DEPTH POS BYTES  a compressed cluster: BYTES at POS hold it
            All numbers are decimal and in bytes.

            Example: qcow2 dump-map --start 1G --length 64M disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            using Qcow2Chain chain = Qcow2Chain.Open(parsed.GetRequiredValue(image), chainOptions.Parse(parsed));
            MapEnumerator map = chain.Map(parsed.GetValue(start) ?? 0, parsed.GetValue(length) ?? long.MaxValue);
            using Stream target = StandardOutput.Open();
            Action<Stream> write = parsed.GetValue(output) switch
            {
                "json" => map.WriteJson,
                "human" => map.WriteHuman,
                _ => map.WriteText,
            };
            write(target);
            return ExitCodes.Success;
        });
        return command;
    }
}
