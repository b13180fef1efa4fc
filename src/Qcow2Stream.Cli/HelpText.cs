using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Cli;

/// <summary>Text after a command's generated help: forms and examples, too long for the list of commands.</summary>
internal static class HelpText
{
    private static readonly ConditionalWeakTable<Command, string> Texts = [];

    // Those of HelpOption's own names that no file of a guest has: '/h' is a path.
    private static readonly string[] Names = ["--help", "-h"];

    public static bool IsAskedForBy(string arg) => Names.Contains(arg);

    public static void SetHelpText(this Command command, string text) => Texts.Add(command, text);

    /// <summary>Makes --help print the text of the command it is asked for, and -h the same; nothing else is help.</summary>
    public static void Install(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        foreach (string alias in help.Aliases.Where(alias => !IsAskedForBy(alias)).ToArray())
        {
            help.Aliases.Remove(alias);
        }

        help.Action = new WithText((HelpAction)help.Action!);
    }

    private sealed class WithText(HelpAction generated) : SynchronousCommandLineAction
    {
        // --help counts even where required arguments are missing.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            int result = generated.Invoke(parseResult);
            if (Texts.TryGetValue(parseResult.CommandResult.Command, out string? text))
            {
                parseResult.InvocationConfiguration.Output.WriteLine(text);
            }

            return result;
        }
    }
}
