using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli;

/// <summary>Puts what the library says of its own options into the options of this program.</summary>
internal static class OptionWords
{
    // What code stands for, in this order.
    private static readonly (string Code, string Words)[] Terms =
    [
        ("Follow = FollowPolicy.FromFileResolver(...) or FollowPolicy.FromResolver(...)", "open the image by its own path"),
        ("what is registered with DiscUtils.VirtualDiskManager", "vpc and vhdx"),
        ("FollowRedirects = HttpRedirectPolicy.Any", "--follow-redirects anywhere"),
        ("Follow = ", ""),
        ("FollowPolicy.AnyOf(", ""),
        ("FollowPolicy.Addresses(", ""),
        ("FollowPolicy.Directories(...)", "--follow DIR"),
        ("FollowPolicy.SameDirectory", "--follow here"),
        ("FollowPolicy.Trusted", "--follow anywhere"),
        ("new Uri(\"", "--follow "),
        ("\")", ""),
        (nameof(Qcow2OpenOptions.Passphrase), "--secret-file"),
        (nameof(Qcow2OpenOptions.DataFile), "--data-file"),
        (nameof(Qcow2OpenOptions.MaxKeyIterations), "--max-key-iterations"),
        (nameof(HttpFileOptions.AllowUnversioned), "--allow-unversioned"),
        (nameof(ImageInfo), "info"),
        (nameof(ImageInspection), "inspect"),
    ];

    private static readonly string[] Limits = [nameof(GuestOptions.MaxDirectoryEntries), nameof(GuestOptions.MaxJournalBytes)];

    /// <summary>An error's message, as a user of the command line needs it.</summary>
    public static string Of(Exception error) => error is Qcow2Exception { Hint: { } hint }
        ? error.Message.Replace(hint, string.Join(", or ", hint.Split(", or ").Select(Translate)), StringComparison.Ordinal)
        : Of(error.Message);

    /// <summary>What is said of a guest: limits of its readers have no option here.</summary>
    public static string Of(string message) => Limits.Aggregate(message, (text, limit) =>
        text.Replace($"{nameof(GuestOptions)}.{limit} allows more", "this tool allows no more", StringComparison.Ordinal));

    private static string Translate(string choice)
    {
        string words = Terms.Aggregate(choice, (text, term) => text.Replace(term.Code, term.Words, StringComparison.Ordinal));

        // Limits have no option here, and nobody adds to the program; several places are several options.
        return words.StartsWith("Max", StringComparison.Ordinal) ? "this tool"
            : words.StartsWith("add the package", StringComparison.Ordinal) ? "convert it with qemu-img"
            : words.TrimEnd(')').Replace(", --", " --", StringComparison.Ordinal);
    }
}
