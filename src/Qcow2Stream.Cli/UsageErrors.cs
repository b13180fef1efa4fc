using System.CommandLine;
using System.CommandLine.Parsing;
using Shared;

namespace Qcow2Stream.Cli;

/// <summary>Says what is wrong with a command line, a line each, and what to do.</summary>
internal static class UsageErrors
{
    public static void Write(ParseResult parsed, TextWriter messages)
    {
        Command command = parsed.CommandResult.Command;
        bool isKnown = CommandList.Commands.ContainsKey(command.Name);
        if (parsed.Tokens is [{ Type: TokenType.Argument, Value: ['-', _, ..] and var early }, ..])
        {
            messages.WriteLine($"qcow2: options come after the command, and not before it: '{PrintableText.Escape(early)}'");
        }
        else if (!isKnown)
        {
            // What stands in a command's place, if anything does, is all that is wrong; the parser complains of what follows too.
            string? given = parsed.UnmatchedTokens is [string first, ..] ? first : null;
            messages.WriteLine(given is null ? "qcow2: a command is missing" : $"qcow2: there is no command '{PrintableText.Escape(given)}'");
            string[] similar = given is null ? [] : [.. CommandList.Commands.Keys.Where(name => IsSimilar(name, given))];
            messages.WriteLine(similar.Length > 0
                ? $"qcow2: did you mean {string.Join(" or ", similar.Select(name => $"'{name}'"))}? ('qcow2 --help' lists all)"
                : $"qcow2: the commands are {string.Join(", ", CommandList.Commands.Keys)} (see 'qcow2 --help')");
            return;
        }
        else
        {
            Lines(parsed, command).ToList().ForEach(line => messages.WriteLine($"qcow2: {line}"));
        }

        messages.WriteLine($"qcow2: see 'qcow2 {(isKnown ? command.Name + " " : "")}--help'");
    }

    private static IEnumerable<string> Lines(ParseResult parsed, Command command)
    {
        // The parser takes an option that it doesn't know for an argument, and complains of what then is too much.
        (ParseError Error, string? Missing)[] errors = [.. parsed.Errors.Select(error => (error, Missing(error)))];
        string[] missing = [.. errors.Select(error => error.Missing).OfType<string>().OrderBy(name => name[0] == '-')];
        string[] arguments = [.. parsed.CommandResult.Tokens.Select(token => token.Value), .. parsed.UnmatchedTokens];
        string[] options = [.. parsed.Tokens
            .TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Select(token => token.Value)
            .Intersect(arguments)
            .Select(word => word.Split('=')[0])
            .Where(word => word.Length > 1 && word[0] == '-')];
        if (options.Length > 0 && (missing.Length > 0 || parsed.UnmatchedTokens.Count > 0))
        {
            return options.Select(option => UnknownOption(command, option));
        }

        // Of arguments that are too many, the first is all that is said.
        IEnumerable<string> lines = errors.Where(error => error.Missing is null).Select(error => error.Error)
            .DistinctBy(error => (error.SymbolResult, error.Message.Split('\'')[0])).Select(Line);
        return missing.Length == 0 ? lines : lines.Prepend($"{command.Name} needs {string.Join(" and ", missing)}");
    }

    /// <summary>What isn't there and must be: an argument, or an option.</summary>
    private static string? Missing(ParseError error) => error.SymbolResult switch
    {
        ArgumentResult { Tokens.Count: 0, Parent: CommandResult, Argument: var argument } => argument.Name,
        OptionResult { IdentifierTokenCount: 0, Option: var option } => option.Name,
        _ => null,
    };

    private static string Line(ParseError error) => PrintableText.Escape(error.SymbolResult switch
    {
        OptionResult { Tokens.Count: 0, Option: var option } => $"{option.Name} needs a value",
        OptionResult { Tokens: [var given], Option: Option<int?> { CustomParser: null } number } => $"{number.Name} needs a number, not '{given.Value}'",
        OptionResult { Tokens: [var given], Option: Option<FileInfo> file } => $"{file.Name}: there is no file '{given.Value}'",
        _ => error.Message.ReplaceLineEndings("").Replace("\t", " ", StringComparison.Ordinal),
    });

    private static string UnknownOption(Command command, string given)
    {
        string[] similar = [.. command.Options.SelectMany(option => option.Aliases.Append(option.Name)).Where(name => IsSimilar(name, given))];
        return $"there is no option '{PrintableText.Escape(given)}'" + (similar.Length == 0 ? "" : $"; did you mean {string.Join(" or ", similar)}?");
    }

    /// <summary>Whether one begins like the other, or a letter or two changed, added or left out make one of the other.</summary>
    private static bool IsSimilar(string name, string given) =>
        given.Length > 1 && (name.StartsWith(given, StringComparison.OrdinalIgnoreCase) || AreWithin(given.Length < 5 ? 1 : 2, name, given.ToLowerInvariant()));

    private static bool AreWithin(int changes, ReadOnlySpan<char> a, ReadOnlySpan<char> b) =>
        a.IsEmpty || b.IsEmpty ? Math.Max(a.Length, b.Length) <= changes
            : a[0] == b[0] ? AreWithin(changes, a[1..], b[1..])
            : changes > 0 && (AreWithin(changes - 1, a[1..], b[1..]) || AreWithin(changes - 1, a[1..], b) || AreWithin(changes - 1, a, b[1..]));
}
