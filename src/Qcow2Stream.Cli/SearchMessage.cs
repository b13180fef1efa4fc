using Qcow2Stream.FileSystems;
using Shared;

namespace Qcow2Stream.Cli;

/// <summary>Says in the words of the command line why a path of the guest was not found, and which option or command helps.</summary>
internal static class SearchMessage
{
    /// <param name="fault">What the search ended in.</param>
    /// <param name="partition">The partition that the user chose; null for none.</param>
    public static string Of(GuestException fault, int? partition) => fault switch
    {
        AmbiguousPathException ambiguous =>
            $"'{PrintableText.Escape(ambiguous.Path)}' is on {string.Join(", ", ambiguous.Volumes)}; choose with --partition N{(ambiguous.Volumes.Any(each => each.Volume is { Disk: > 1 } or { Name: not null }) ? " or --volume NAME" : "")}",
        PartitionNotFoundException { PartitionTable: PartitionTableKind.None } missing =>
            $"there is no partition {missing.Number}: the disk has no partition table (to take it as a whole: --partition 0, or leave it out)",
        PartitionNotFoundException missing =>
            $"there is no partition {missing.Number}; the disk has {string.Join(", ", missing.Volumes)} (for more: qcow2 df)",
        NoFileSystemException when partition is null => WithKey($"{fault.Message} (for more: qcow2 df)"),
        _ => WithKey(fault.Message),
    };

    private static string WithKey(string message) => message.Replace("no passphrase was given", "no passphrase was given, --key-file", StringComparison.Ordinal);
}
