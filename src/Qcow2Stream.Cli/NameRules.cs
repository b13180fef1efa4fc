using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Unicode;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli;

/// <summary>What a name on the command line must be.</summary>
internal static class NameRules
{
    private const string GivenBytes = "/proc/self/cmdline";

    /// <summary>Refuses an empty name, such as an unset variable of a script leaves, as a wrong usage.</summary>
    public static Argument<string> NotEmpty(this Argument<string> argument)
    {
        argument.Validators.Add(result => Judge(result, argument.Name, result.Tokens));
        return argument;
    }

    /// <inheritdoc cref="NotEmpty"/>
    public static void Judge(SymbolResult result, string name, IReadOnlyList<Token> given)
    {
        if (given.Any(token => token.Value.Length == 0))
        {
            result.AddError($"{name} is empty; a name is needed");
        }
    }

    /// <summary>Refuses words that aren't text: the runtime has put another letter in the place of each such byte, and would find, or make, another file.</summary>
    public static void JudgeWords(CommandResult result)
    {
        if (Environment.CommandLine.Contains('\uFFFD', StringComparison.Ordinal) && File.Exists(GivenBytes)
            && GuestText.FromBytes(File.ReadAllBytes(GivenBytes)).Split('\0').Skip(1).FirstOrDefault(word => !Utf8.IsValid(GuestText.ToBytes(word))) is { } wrong)
        {
            result.AddError($"'{wrong}' is not UTF-8: a name in the guest is given as it stands here, with \\xHH; a file of this system can't be opened by such a name");
        }
    }
}
