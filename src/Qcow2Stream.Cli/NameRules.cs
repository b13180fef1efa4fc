using System.CommandLine;

namespace Qcow2Stream.Cli;

/// <summary>What a name on the command line must be.</summary>
internal static class NameRules
{
    /// <summary>Refuses an empty name, such as an unset variable of a script leaves, as a wrong usage.</summary>
    public static Argument<string> NotEmpty(this Argument<string> argument)
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }])
            {
                result.AddError($"{argument.Name} is empty; a name is needed");
            }
        });
        return argument;
    }
}
