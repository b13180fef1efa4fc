using System.CommandLine;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli.Commands;

/// <summary>ls: names in the guest's file systems.</summary>
internal static class LsCommand
{
    public static Command Create()
    {
        GuestArguments guest = new();
        Argument<string> path = new Argument<string>("PATH")
        {
            Description = "A directory or file, from the root of its file system.",
            DefaultValueFactory = _ => "/",
        }.NotEmpty();
        Option<bool> isLong = new("-l") { Description = "Permissions, owner, group, size, time, and the targets of links." };
        Option<bool> recursive = new("--recursive", "-R") { Description = "Everything below too, each with its path." };
        Option<string> output = CommonOptions.Output("text, or json: an array of objects that say what -l does.");
        GuestCommand command = new("ls", "Lists a directory of the guest's file systems.") { isLong, recursive, output };
        guest.AddTo(command, path);
        command.SetHelpText("""
            Unreadable entries are reported on standard error, and make the exit code 1. Times are UTC.

            Example: qcow2 ls -l disk.qcow2 /etc
            """);
        command.SetAction(parsed =>
        {
            using Guest disk = guest.Open(parsed);
            string name = parsed.GetRequiredValue(path);
            using GuestMatch match = guest.Find(disk, name, parsed);
            GuestFaults faults = new(Console.Error);
            IEnumerable<GuestTreeEntry> entries = Select(match.Entry, name, parsed.GetValue(recursive), faults);
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(output) == "json")
            {
                entries.WriteJson(target, fault => faults.Report(fault.Path, fault.Message));
            }
            else
            {
                entries.WriteText(parsed.GetValue(isLong), target, fault => faults.Report(fault.Path, fault.Message));
            }

            return faults.ExitCode;
        });
        return command;
    }

    private static IEnumerable<GuestTreeEntry> Select(GuestEntry entry, string name, bool recursive, GuestFaults faults)
    {
        string prefix = name.TrimEnd('/');
        return entry.Kind != GuestEntryKind.Directory
            ? [new GuestTreeEntry(name, entry)]
            : entry.EnumerateTree(fault => faults.Report(fault.Path.Length == 0 ? name : prefix + fault.Path, fault.Message), recursive ? int.MaxValue : 1)
                .Select(below => below with { Path = recursive ? prefix + below.Path : below.Entry.Name });
    }
}
