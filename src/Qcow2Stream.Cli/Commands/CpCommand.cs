using System.CommandLine;
using Qcow2Stream.Cli.Limits;
using Qcow2Stream.FileSystems;
using Shared;

namespace Qcow2Stream.Cli.Commands;

/// <summary>cp: files and trees from the guest's file systems.</summary>
internal static class CpCommand
{
    public static Command Create()
    {
        GuestArguments guest = new();
        Argument<string> path = new Argument<string>("PATH") { Description = "A file or directory, from the root of its file system." }.NotEmpty();
        Argument<string> destination = new Argument<string>("DEST") { Description = "A new name, or an existing directory to copy into." }.NotEmpty();
        GuestCommand command = new("cp", "Copies a file or a whole tree out of the guest's file systems.");
        guest.AddTo(command, path, destination);
        command.SetHelpText("""
            Links stay links, and are followed only if PATH itself is one. Times and permissions are kept; owners and
            set-user-id bits are not. Devices, pipes and sockets are left out. Nothing that exists is overwritten, and nothing is
            written outside DEST. What can't be read is reported on standard error, and makes the exit code 1; the rest is
            copied.

            Example: qcow2 cp disk.qcow2 /etc out
            """);
        command.SetAction(parsed =>
        {
            using Guest disk = guest.Open(parsed);
            string name = parsed.GetRequiredValue(path);
            using GuestMatch match = guest.Find(disk, name, parsed);
            return Copy(disk, match.Entry, name, parsed.GetRequiredValue(destination));
        });
        return command;
    }

    private static int Copy(Guest disk, GuestEntry entry, string name, string destination)
    {
        string last = name.TrimEnd('/').Split('/')[^1];

        // What is added here is as untrusted as every other name of the guest; a slash says that the directory is the user's own choice.
        if (!Path.EndsInDirectorySeparator(destination) && new FileInfo(destination).LinkTarget is not null)
        {
            throw new IOException($"'{PrintableText.Escape(destination)}' is a link, which an earlier copy may have made (to copy into the directory that it leads to: end it with a slash)");
        }

        bool exists = Directory.Exists(destination);
        if (!exists && entry.Kind != GuestEntryKind.Directory && Path.EndsInDirectorySeparator(destination))
        {
            throw new IOException($"there is no directory '{PrintableText.Escape(destination)}' (to copy into it: make it first; to a new name: without the slash)");
        }

        GuestFaults faults = new(Console.Error);
        GuestCopyOptions options = new()
        {
            OnFault = fault => faults.Report(fault.Path.Length == 0 ? name : name.TrimEnd('/') + fault.Path, fault.Message),
        };
        using Interruption interruption = new();
        GuestCopyResult result = interruption.Run(
            [disk], () => ByteProgress.Run(name, progress => !exists ? entry.CopyTo(destination, options, progress, interruption.Token)
            : HostName.Fault(last) is null ? entry.CopyInto(destination, last, options, progress, interruption.Token)
            : entry.CopyTo(destination + Path.DirectorySeparatorChar, options, progress, interruption.Token)));
        if (result.SpecialFiles > 0)
        {
            Console.Error.WriteLine($"qcow2: devices, pipes and sockets that are not copied: {result.SpecialFiles}");
        }

        return faults.ExitCode;
    }
}
