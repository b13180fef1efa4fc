using System.CommandLine;
using Qcow2Stream.Cli.Guest;

namespace Qcow2Stream.Cli;

/// <summary>The arguments and options of every command that looks into the guest's file systems.</summary>
internal sealed class GuestOptions
{
    private readonly Argument<string> _image = CommonOptions.Image();

    private readonly ChainOptions _chain = new();

    private readonly Option<int?> _partition = new("--partition")
    {
        Description = "The partition's number, as 'qcow2 df' prints it; by default the only one that has the path.",
        HelpName = "N",
    };

    /// <summary>Adds the image, then the command's own arguments, then the options.</summary>
    public void AddTo(Command command, params ReadOnlySpan<Argument> arguments)
    {
        command.Add(_image);
        foreach (Argument argument in arguments)
        {
            command.Add(argument);
        }

        command.Add(_partition);
        _chain.AddTo(command);
    }

    public GuestDisk Open(ParseResult parsed) => new(_chain.Open(parsed.GetRequiredValue(_image), parsed));

    public int? Partition(ParseResult parsed) => parsed.GetValue(_partition);
}
