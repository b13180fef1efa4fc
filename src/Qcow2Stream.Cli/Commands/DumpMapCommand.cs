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
            Description = "text: a line per extent, START LENGTH [DEPTH POS [BYTES]]; json: as 'qemu-img map --output=json'; human: as 'qemu-img map'; "
                + "svg: a drawing; summary, summary-json: what each layer holds, and how much of it is hidden by those above.",
            DefaultValueFactory = _ => "text",
        };
        output.AcceptOnlyFromAmong("text", "json", "human", "svg", "summary", "summary-json");

        Option<string> bitmap = new("--bitmap")
        {
            Description = "Prints what this persistent dirty bitmap of the image marks instead: a line START LENGTH per extent.",
            HelpName = "NAME",
        };

        Command command = new("dump-map", "Prints which range of the guest's disk lives where in which file of the chain.")
        {
            image, output, start, length, bitmap,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(bitmap) is not null && result.GetResult(output)?.Tokens is [{ Value: not ("text" or "json") }])
            {
                result.AddError("--bitmap goes with --output text or json");
            }
        });
        chainOptions.AddTo(command);
        command.SetHelpText("""
            START LENGTH                  nothing is allocated there, or it is all zeros
            START LENGTH DEPTH POS        it is at POS in layer DEPTH: 0 is IMAGE, 1 its backing file, ...
            START LENGTH DEPTH POS BYTES  a compressed cluster: BYTES at POS hold it
            POS is - where a layer is in another format, whose reader doesn't report it.
            All numbers are decimal and in bytes.

            svg      the disk in rows, coloured by layer; hatched: compressed, dotted: zeros, grey: never written
            summary  a line per layer: what it stores, compressed and to what size, the zeros it makes, how much of what it stores
                     is hidden by layers above, how much of its file that takes, and in how many pieces it lies

            Example: qcow2 dump-map --start 1G --length 64M disk.qcow2
                     qcow2 dump-map --output svg disk.qcow2 > disk.svg
            """);
        command.SetAction(parsed =>
        {
            using Qcow2Chain chain = chainOptions.Open(parsed.GetRequiredValue(image), parsed);
            long first = parsed.GetValue(start) ?? 0;
            long count = parsed.GetValue(length) ?? long.MaxValue;
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(bitmap) is { } name)
            {
                Write(chain.GetBitmap(name).GetDirtyExtents(first, count), parsed.GetValue(output), target);
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
            "json" => map.WithHostHoles().WriteJson,
            "human" => map.WithHostHoles().WriteHuman,
            "svg" => map.WriteSvg,
            "summary" => map.Summarize().WriteText,
            "summary-json" => map.Summarize().WriteJson,
            _ => map.WriteText,
        };
        write(target);
    }

    private static void Write(IEnumerable<StreamExtent> dirty, string? form, Stream target)
    {
        Action<IEnumerable<StreamExtent>, Stream> write = form == "json" ? ExtentOutput.WriteJson : ExtentOutput.WriteText;
        write(dirty, target);
    }
}
