using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Qcow2Stream.Cli.Completion;

/// <summary>
/// The answer to <c>qcow2 [suggest:N] LINE</c>: whatever the last word of LINE's first N characters can become, one per line;
/// nothing where that is up to the user, such as the name of a file. Without N it is the whole of LINE.
/// </summary>
/// <remarks>System.CommandLine's own answer doesn't know values after '=', and fails there.</remarks>
internal static class Suggestions
{
    public static void Install(RootCommand root)
    {
        SuggestDirective directive = root.Directives.OfType<SuggestDirective>().Single();
        directive.Action = new Answer(root, directive);
    }

    private static IEnumerable<string> For(RootCommand root, string line)
    {
        List<string> words = [.. CommandLineParser.SplitCommandLine(line).Skip(1)];
        string unfinished = "";
        if (words.Count > 0 && !char.IsWhiteSpace(line[^1]))
        {
            unfinished = words[^1];
            words.RemoveAt(words.Count - 1);
        }

        return Candidates(root, words, unfinished).Where(candidate => candidate.StartsWith(unfinished, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Candidates(RootCommand root, List<string> words, string unfinished)
    {
        ParseResult parsed = Arguments.Parse(root, words);
        Command command = parsed.CommandResult.Command;
        Option[] options = words.Contains("--") ? [] : [.. command.Options.Union(root.Options.Where(option => option.Recursive)).Where(option => !option.Hidden)];
        int equals = unfinished.StartsWith('-') ? unfinished.IndexOf('=', StringComparison.Ordinal) : -1;
        if (equals > 0)
        {
            return Named(options, unfinished[..equals]) is { } assigned ? Values(assigned).Select(value => unfinished[..(equals + 1)] + value) : [];
        }

        if (words.Count > 0 && Named(options, words[^1]) is { } last)
        {
            return Values(last);
        }

        if (unfinished.StartsWith('-'))
        {
            return options.Where(option => parsed.GetResult(option) is null or { Implicit: true }).SelectMany(option => option.Aliases.Prepend(option.Name));
        }

        return command != root ? command.Arguments.FirstOrDefault(argument => IsOpen(parsed, argument)) is { } next ? Values(next) : []
            : words.Count == 0 ? root.Subcommands.Select(each => each.Name)
            : [];
    }

    /// <summary>The option of this name, if a value belongs to it.</summary>
    private static Option? Named(Option[] options, string name) =>
        options.FirstOrDefault(option => option.Arity.MaximumNumberOfValues > 0 && (option.Name == name || option.Aliases.Contains(name)));

    private static bool IsOpen(ParseResult parsed, Argument argument) =>
        (parsed.GetResult(argument)?.Tokens.Count ?? 0) < argument.Arity.MaximumNumberOfValues;

    private static IEnumerable<string> Values(Symbol symbol) => symbol.GetCompletions(CompletionContext.Empty).Select(value => value.InsertText ?? value.Label);

    private sealed class Answer(RootCommand root, SuggestDirective directive) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            string line = parseResult.Tokens.LastOrDefault(token => token.Type != TokenType.Directive)?.Value ?? "";
            if (parseResult.GetResult(directive)?.Values is [string position, ..] && int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out int length) && length < line.Length)
            {
                line = line[..length];
            }

            foreach (string suggestion in For(root, line))
            {
                parseResult.InvocationConfiguration.Output.WriteLine(suggestion);
            }

            return ExitCodes.Success;
        }
    }
}
