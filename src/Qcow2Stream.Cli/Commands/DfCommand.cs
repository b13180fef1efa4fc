using System.CommandLine;
using System.Globalization;
using System.Text;
using Qcow2Stream.FileSystems;
using Shared;

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
                WriteText(volumes, target);
            }

            return faults.ExitCode;
        });
        return command;
    }

    private static void WriteText(IReadOnlyList<VolumeReport> volumes, Stream target)
    {
        using StreamWriter text = new(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        text.WriteLine($"{"PART",4} {"START",15} {"SIZE",9} {"USED",9} {"AVAIL",9}  {"CONTENT",-20} {"LABEL",-16} TYPE");
        foreach (VolumeReport v in volumes)
        {
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Number(v.Volume),4} {v.Volume.Start,15} {ByteSize.Text(v.Volume.Length),9} {Size(v.Usage?.UsedBytes),9} {Size(v.Usage?.AvailableBytes),9}  {Content(v),-20} {Label(v),-16} {PrintableText.Escape(v.Volume.Type)}"));
            foreach (GuestSubvolume subvolume in v.Subvolumes.Where(each => each.MountPoint is not null))
            {
                text.WriteLine($"{"",52}{PrintableText.Escape(subvolume.MountPoint!)}: subvolume {subvolume.Number}{Path(subvolume)}");
            }

            if (v.Subvolumes.Count(each => each.MountPoint is null) is > 0 and var others)
            {
                text.WriteLine($"{"",52}not mounted: {others} (--output json lists them)");
            }
        }
    }

    private static string Number(GuestVolume volume) => volume.Disk == 1 ? $"{volume.Number}" : $"{volume.Disk}:{volume.Number}";

    private static string Size(long? bytes) => bytes is { } known ? ByteSize.Text(known) : "-";

    private static string Content(VolumeReport report) => report.Volume.DeviceOf is { } first ? $"{report.Content}, with {Number(first)}" : report.Content;

    private static string Label(VolumeReport report) => report.Label is { Length: > 0 } label ? PrintableText.Escape(label) : "-";

    private static string Path(GuestSubvolume subvolume) => subvolume.Path.Length == 0 ? ", the top level" : $", {PrintableText.Escape(subvolume.Path)}";
}
