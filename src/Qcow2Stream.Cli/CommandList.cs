using System.CommandLine;
using Qcow2Stream.Cli.Commands;

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
        ["changes"] = ChangesCommand.Create,
        ["dump-header"] = DumpHeaderCommand.Create,
        ["inspect"] = InspectCommand.Create,
        ["check"] = CheckCommand.Create,
    };
}
