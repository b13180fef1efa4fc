using System.CommandLine;
using Qcow2Stream.Cli.Limits;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli;

/// <summary>The arguments and options of every command that looks into the guest's file systems.</summary>
internal sealed class GuestArguments
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

    public Guest Open(ParseResult parsed) => Guest.Open(ProcessLimits.Watch(_chain.Open(parsed.GetRequiredValue(_image), parsed)));

    /// <summary>Finds what a path names, and says on standard error what a user should know of the file system that has it.</summary>
    /// <exception cref="GuestException">It isn't found; the message names the options that help.</exception>
    public GuestMatch Find(Guest guest, string path, ParseResult parsed)
    {
        int? partition = parsed.GetValue(_partition);
        GuestMatch match;
        try
        {
            match = guest.Find(path, partition);
        }
        catch (GuestException e)
        {
            throw new GuestException(SearchMessage.Of(e, partition), e);
        }

        if (match.FileSystem.Notice is { } notice)
        {
            Console.Error.WriteLine($"qcow2: {match.Volume} ({match.FileSystem.Kind}): {notice}");
        }

        return match;
    }
}
