using System.CommandLine;
using Qcow2Stream.Cli.Completion;

namespace Qcow2Stream.Cli;

/// <summary>
/// Reads the command line. A guest's files are called what the guest likes, so nothing that looks like a name is taken for
/// anything else.
/// </summary>
internal static class Arguments
{
    // '@name' is a name, such as that of a subvolume of btrfs, and no file with more arguments.
    private static readonly ParserConfiguration NamesOnly = new() { ResponseFileTokenReplacer = null };

    public static ParseResult Parse(string[] args)
    {
        Command root = CommandList.CreateRoot(args);
        Option[] options = [.. root.Subcommands.SelectMany(command => command.Options)];
        foreach (Option<bool> flag in options.OfType<Option<bool>>())
        {
            // 'true' after it is a name too, and nothing to offer there.
            flag.Arity = ArgumentArity.Zero;
            flag.CompletionSources.Clear();
        }

        options.OfType<Option<FileInfo>>().ToList().ForEach(file => file.AcceptExistingOnly());
        foreach (Option named in options.Where(option => option is not Option<FileInfo> && option.HelpName is "FILE" or "PATH"))
        {
            named.Validators.Add(result => NameRules.Judge(result, named.Name, result.Tokens));
        }

        if (root is RootCommand all)
        {
            Suggestions.Install(all);
        }

        return Parse(root, [.. args.SelectMany((word, place) => Split(word, Array.IndexOf(args, "--") is var end && (end < 0 || place < end)))]);
    }

    /// <summary>'--name=' gives an empty value, as an unset variable of a script does; the parser would take the next word for it.</summary>
    private static string[] Split(string word, bool mayBeAnOption) =>
        mayBeAnOption && word.Length > 3 && word.StartsWith("--", StringComparison.Ordinal) && word.IndexOf('=') == word.Length - 1 ? [word[..^1], ""] : [word];

    /// <summary>Reads the words after the tool's name.</summary>
    internal static ParseResult Parse(Command root, IReadOnlyList<string> words) => root.Parse(words, NamesOnly);
}
