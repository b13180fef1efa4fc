using System.CommandLine;

namespace Qcow2Stream.Cli.Commands;

/// <summary>info: what an image says of itself.</summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new(withSnapshot: false);
        Option<string> output = CommonOptions.Output("text, or json with the field names of 'qemu-img info --output=json'.");
        Option<bool> wholeChain = new("--backing-chain")
        {
            Description = "Opens the backing files too, as far as --follow allows, and prints each. Without it only IMAGE is opened.",
        };
        Command command = new("info", "Prints the format, version, sizes, compression and backing file of an image.")
        {
            image, output, wholeChain,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            Example: qcow2 info --backing-chain disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            HostFile file = chainOptions.OpenFile(parsed.GetRequiredValue(image), parsed);
            bool chain = parsed.GetValue(wholeChain);
            IReadOnlyList<ImageInfo> images = chain ? ReadChain(file, chainOptions.Parse(parsed)) : [ImageInfo.Read(file)];
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(output) == "json")
            {
                images.WriteJson(target, asArray: chain);
            }
            else
            {
                images.WriteText(target);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static IReadOnlyList<ImageInfo> ReadChain(HostFile file, Qcow2OpenOptions options)
    {
        using Qcow2Chain chain = Qcow2Chain.Open(file, options);
        return ImageInfo.ReadChain(chain);
    }
}
