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
        if (!CommandList.Commands.ContainsKey(command.Name))
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

        foreach (string line in Lines(parsed, command))
        {
            messages.WriteLine($"qcow2: {line}");
        }

        messages.WriteLine($"qcow2: see 'qcow2 {command.Name} --help'");
    }

    private static IEnumerable<string> Lines(ParseResult parsed, Command command)
    {
        // The parser takes an option that it doesn't know for an argument, and complains of what then is too much.
        ParseError[] missing = [.. parsed.Errors.Where(error => error.SymbolResult is ArgumentResult { Tokens.Count: 0, Parent: CommandResult })];
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

        IEnumerable<string> lines = parsed.Errors.Except(missing).Select(error => error.SymbolResult is OptionResult { Tokens.Count: 0, Option: { } option }
            ? $"{option.Name} needs a value"
            : PrintableText.Escape(error.Message.ReplaceLineEndings("").Replace("\t", " ", StringComparison.Ordinal)));
        return missing.Length == 0 ? lines
            : lines.Prepend($"{command.Name} needs {string.Join(" and ", missing.Select(error => ((ArgumentResult)error.SymbolResult!).Argument.Name))}");
    }

    private static string UnknownOption(Command command, string given)
    {
        string[] similar = [.. command.Options.SelectMany(option => option.Aliases.Append(option.Name)).Where(name => IsSimilar(name, given))];
        return $"there is no option '{PrintableText.Escape(given)}'" + (similar.Length == 0 ? "" : $"; did you mean {string.Join(" or ", similar)}?");
    }

    /// <summary>Whether one begins like the other, or a letter or two changed, added or left out make one of the other.</summary>
    private static bool IsSimilar(string name, string given) =>
        given.Length > 1 && (name.StartsWith(given, StringComparison.OrdinalIgnoreCase) || Distance(name, given.ToLowerInvariant()) <= (given.Length < 5 ? 1 : 2));

    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
