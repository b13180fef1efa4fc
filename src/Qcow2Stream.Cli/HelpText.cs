using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Qcow2Stream.Cli;

/// <summary>Text behind a command's generated help: forms and examples, too long for the list of commands.</summary>
internal static class HelpText
{
    private static readonly ConditionalWeakTable<Command, string> Texts = [];

    // HelpOption's own names, which it tells only once it is made.
    private static readonly string[] Names = ["--help", "-h", "-?", "/h", "/?"];

    public static bool IsAskedForBy(string arg) => Names.Contains(arg);

    public static void SetHelpText(this Command command, string text) => Texts.Add(command, text);

    /// <summary>Makes --help print the text of the command it is asked for.</summary>
    public static void Install(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
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
