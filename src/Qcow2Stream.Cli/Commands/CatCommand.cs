using System.CommandLine;
using Qcow2Stream.FileSystems;
using Shared;

namespace Qcow2Stream.Cli.Commands;

/// <summary>cat: a file of the guest to standard output.</summary>
internal static class CatCommand
{
    public static Command Create()
    {
        GuestArguments guest = new();
        Argument<string> path = new Argument<string>("PATH") { Description = "The file, from the root of its file system." }.NotEmpty();
        GuestCommand command = new("cat", "Writes a file from the guest's file systems to standard output.");
        guest.AddTo(command, path);
        command.SetHelpText("""
            Links are followed inside the guest.

            Example: qcow2 cat disk.qcow2 /etc/os-release
            """);
        command.SetAction(parsed =>
        {
            using Guest disk = guest.Open(parsed);
            string name = parsed.GetRequiredValue(path);
            using GuestMatch match = guest.Find(disk, name, parsed);
            if (match.Entry.Kind is not GuestEntryKind.File and var kind)
            {
                throw new GuestException($"'{PrintableText.Escape(name)}' is not a file but a {Describe(kind)}{HowElse(kind)}");
            }

            using Stream target = StandardOutput.Open();
            try
            {
                match.Entry.CopyContentTo(target);
            }
            catch (GuestException e)
            {
                throw new GuestException($"{PrintableText.Escape(name)}: {e.Message}", e);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static string HowElse(GuestEntryKind kind) => kind == GuestEntryKind.Directory ? " (to list it: qcow2 ls; to copy it: qcow2 cp)" : "";

    private static string Describe(GuestEntryKind kind) => kind == GuestEntryKind.Directory ? "directory" : "device, pipe or socket";
}
