using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Qcow2Stream.Cli;

/// <summary>Arguments and options that several commands share.</summary>
internal static class CommonOptions
{
    public static Argument<string> Image() =>
        new Argument<string>("IMAGE") { Description = "The disk image, qcow2 (or qcow, version 1) or raw: a file, or an http or https address." }.NotEmpty();

    /// <summary>--follow none|here|DIR|anywhere; here and any number of DIRs combine.</summary>
    public static Option<FollowPolicy?> Follow() => new("--follow")
    {
        Description = "Which files that an image names (backing files) are opened: none; here: those in the naming image's "
            + "directory or below; DIR: those in that directory or below, or an address for images at one; anywhere: all, for images you trust. "
            + "To allow several places, give it several times: --follow here --follow DIR. [default: here]",
        HelpName = "none|here|DIR|anywhere",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result =>
        {
            FollowPolicy?[] policies = [.. result.Tokens.Select(token => ParsePlace(token.Value, result))];
            return policies.Contains(null) ? null
                : policies is [{ } only] ? only
                : policies.Contains(FollowPolicy.None) || policies.Contains(FollowPolicy.Trusted)
                    ? Fail<FollowPolicy>(result, "--follow none and --follow anywhere stand alone; here and directories can be given together")
                : FollowPolicy.AnyOf(policies!);
        },
    };

    /// <summary>--output text|json, text by default.</summary>
    public static Option<string> Output(string description)
    {
        Option<string> output = new("--output") { Description = description, DefaultValueFactory = _ => "text" };
        output.AcceptOnlyFromAmong("text", "json");
        return output;
    }

    /// <summary>A number of bytes with an optional binary suffix.</summary>
    public static Option<long?> Size(string name, string description) => new(name)
    {
        Description = description + " In bytes, or with K, M, G or T.",
        HelpName = "N",
        CustomParser = result => TryParseSize(result.Tokens[0].Value, out long size)
            ? size
            : Fail<long?>(result, $"{name} needs a size such as 4096, 64K or 2G, not '{result.Tokens[0].Value}'"),
    };

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<int?> Number(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
            int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
                ? value
                : Fail<int?>(result, $"{name} needs a number from {least} to {most}, not '{result.Tokens[0].Value}'"),
    };

    /// <summary>Parses digits with an optional K, M, G or T (powers of 1024).</summary>
    internal static bool TryParseSize(string text, out long size)
    {
        int shift = text.Length == 0 ? 0 : 10 * (1 + "KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal));
        ReadOnlySpan<char> digits = text.AsSpan(0, text.Length - Math.Sign(shift));
        bool isSize = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out size) && size <= long.MaxValue >> shift;
        size = isSize ? size << shift : 0;
        return isSize;
    }

    private static FollowPolicy? ParsePlace(string place, ArgumentResult result) => place switch
    {
        "none" => FollowPolicy.None,
        "here" => FollowPolicy.SameDirectory,
        "anywhere" => FollowPolicy.Trusted,
        "" => Fail<FollowPolicy>(result, "--follow needs none, here, anywhere or a directory"),
        _ when RemoteOptions.IsAddress(place) => Uri.TryCreate(place, UriKind.Absolute, out Uri? uri) && uri.Query.Length == 0
            ? FollowPolicy.Addresses(uri)
            : Fail<FollowPolicy>(result, "--follow needs an address without a query"),
        _ => FollowPolicy.Directories(place),
    };

    /// <summary>Says what is wrong with an option.</summary>
    private static T? Fail<T>(ArgumentResult result, string message)
    {
        result.AddError(message);
        return default;
    }
}
