using System.CommandLine;
using DiscUtils.Streams;

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

        Option<string> bitmap = new("--bitmap")
        {
            Description = "Prints what this persistent dirty bitmap of the image marks instead: a line START LENGTH an extent.",
            HelpName = "NAME",
        };

        Command command = new("dump-map", "Prints which range of the guest's disk lives where in which file of the chain.")
        {
            image, output, start, length, bitmap,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            START LENGTH                  nothing is allocated there, or it is all zeros
            START LENGTH DEPTH POS        it is at POS in layer DEPTH: 0 is IMAGE, 1 its backing file, ...
            START LENGTH DEPTH POS BYTES  a compressed cluster: BYTES at POS hold it
            POS is - where a layer is in another format, whose reader does not tell it.
            All numbers are decimal and in bytes.

            Example: qcow2 dump-map --start 1G --length 64M disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            using Qcow2Chain chain = chainOptions.Open(parsed.GetRequiredValue(image), parsed);
            long first = parsed.GetValue(start) ?? 0;
            long count = parsed.GetValue(length) ?? long.MaxValue;
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(bitmap) is { } name)
            {
                Write(chain.GetBitmap(name).DirtyExtents(first, count), parsed.GetValue(output), target);
            }
            else
            {
                Write(chain.Map(first, count), parsed.GetValue(output), target);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static void Write(MapEnumerator map, string? form, Stream target)
    {
        Action<Stream> write = form switch
        {
            "json" => map.WriteJson,
            "human" => map.WriteHuman,
            _ => map.WriteText,
        };
        write(target);
    }

    private static void Write(IEnumerable<StreamExtent> dirty, string? form, Stream target)
    {
        Action<Stream> write = form == "json" ? dirty.WriteJson : dirty.WriteText;
        write(target);
    }
}
