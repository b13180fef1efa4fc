using System.CommandLine;
using Qcow2Stream.FileSystems;

namespace Qcow2Stream.Cli.Commands;

/// <summary>df: the guest's partitions and what is on them.</summary>
internal static class DfCommand
{
    public static Command Create()
    {
        GuestArguments guest = new(findsPaths: false);
        Option<string> output = CommonOptions.Output("text, or json with sizes in bytes, and all subvolumes.");
        GuestCommand command = new("df", "Lists the guest's partitions and the file systems on them.") { output };
        guest.AddTo(command);
        command.SetHelpText("""
            Partition 0 is the whole disk. Below a Btrfs file system stand the subvolumes that the guest mounts, with where.

            Example: qcow2 df disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            GuestFaults faults = new(Console.Error);
            using Guest disk = guest.Open(parsed);
            IReadOnlyList<VolumeReport> volumes = disk.Report(fault => faults.Report(fault.Path, fault.Message));
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(output) == "json")
            {
                disk.WriteJson(volumes, target);
            }
            else
            {
                volumes.WriteText(target);
            }

            return faults.ExitCode;
        });
        return command;
    }
}
