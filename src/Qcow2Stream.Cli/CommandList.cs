using System.CommandLine;
using Qcow2Stream.Cli.Commands;
using Qcow2Stream.Cli.Limits;

namespace Qcow2Stream.Cli;

/// <summary>All commands, by their names, in the order in which --help shows them.</summary>
internal static class CommandList
{
    public static OrderedDictionary<string, Func<Command>> Commands { get; } = new()
    {
        ["dump-map"] = DumpMapCommand.Create,
        ["read"] = ReadCommand.Create,
        ["info"] = InfoCommand.Create,
        ["ls"] = LsCommand.Create,
        ["cat"] = CatCommand.Create,
        ["cp"] = CpCommand.Create,
        ["df"] = DfCommand.Create,
        ["convert"] = ConvertCommand.Create,
        [CompareCommand.Name] = CompareCommand.Create,
        ["changes"] = ChangesCommand.Create,
        ["dump-header"] = DumpHeaderCommand.Create,
        ["inspect"] = InspectCommand.Create,
        ["check"] = CheckCommand.Create,
        ["serve"] = ServeCommand.Create,
        ["completion"] = CompletionCommand.Create,
    };

    /// <summary>
    /// What is to parse the arguments. Making every command, and help, takes as long as reading an image's header: where the
    /// arguments begin with a command and do not ask for help, that command is all.
    /// </summary>
    public static Command CreateRoot(string[] args)
    {
        if (args.Length > 0 && Commands.TryGetValue(args[0], out Func<Command>? create) && !args.Any(HelpText.IsAskedForBy))
        {
            return new Command("qcow2") { Limited(create()) };
        }

        RootCommand root = new("Reads QEMU disk images (qcow2) with their whole backing chain, without qemu, root or FUSE.");
        foreach (Func<Command> each in Commands.Values)
        {
            root.Add(Limited(each()));
        }

        root.SetHelpText("""
            Exit codes:
              0  done
              1  something could not be read, or not written; or --timeout passed
              2  the command line is wrong
              130  interrupted
              check and compare have codes of their own: see their --help

            Examples:
              qcow2 ls -l disk.qcow2 /etc
              qcow2 cat https://images.example/disk.qcow2 /etc/os-release
              qcow2 dump-map disk.qcow2
            """);
        HelpText.Install(root);
        return root;
    }

    /// <summary>Every command can be given a time, and none words that aren't text.</summary>
    private static Command Limited(Command command)
    {
        command.Add(Deadline.Option());
        command.Validators.Add(NameRules.JudgeWords);
        return command;
    }
}
