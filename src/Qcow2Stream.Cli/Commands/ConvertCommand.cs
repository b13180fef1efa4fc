using System.CommandLine;
using Qcow2Stream.Cli.Converting;
using Qcow2Stream.Cli.Limits;

namespace Qcow2Stream.Cli.Commands;

/// <summary>convert: the guest's disk as a file of another format.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        Argument<string> output = new Argument<string>("OUT") { Description = "The file to write." }.NotEmpty();
        ChainOptions chainOptions = new();
        Option<string> format = new("--format") { Description = "What to write. [default: by OUT's extension, otherwise raw]" };
        format.AcceptOnlyFromAmong([.. OutputFormats.ByName.Keys]);
        Option<bool> overwrite = new("--overwrite") { Description = "Replaces OUT, if it is a file, once the new one is complete." };
        Command command = new("convert", "Writes the guest's disk into a file: raw with holes for zeros, vhdx, vmdk or vhd.")
        {
            image, output, format, overwrite,
        };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            raw    the bytes of the disk; zeros become holes
            vhdx   of Hyper-V, dynamic
            vmdk   of VMware, monolithicSparse; its size is a multiple of 64 KiB
            vhd    of Virtual PC and Azure, dynamic; its size is a multiple of 2 MiB
            A size is rounded up with zeros. OUT appears when it is complete: it is written beside it, to a file whose name
            ends in .partial, and nothing is left behind if that fails or is interrupted.

            Example: qcow2 convert disk.qcow2 disk.raw
            """);
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(output);
            OutputFormat written = parsed.GetValue(format) is { } name ? OutputFormats.ByName[name] : OutputFormats.Of(path);
            using Qcow2Chain chain = chainOptions.Open(parsed.GetRequiredValue(image), parsed);
            using Interruption interruption = new();
            Conversion conversion = new(chain, written);
            NewFile.Write(path, parsed.GetValue(overwrite), chain, file => interruption.Run([chain], () => ByteProgress.Run(
                path, progress => conversion.Write(file, path, progress, interruption.Token))));
            return ExitCodes.Success;
        });
        return command;
    }
}
