using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Qcow2Stream.Cli.Limits;
using Qcow2Stream.Cli.Listing;
using Qcow2Stream.FileSystems;
using Shared;

namespace Qcow2Stream.Cli.Commands;

/// <summary>df: the guest's partitions and what is on them.</summary>
internal static class DfCommand
{
    public static Command Create()
    {
        Argument<string> image = CommonOptions.Image();
        ChainOptions chainOptions = new();
        Option<string> output = CommonOptions.Output("text, or json with sizes in bytes.");
        GuestCommand command = new("df", "Lists the guest's partitions and the file systems on them.") { image, output };
        chainOptions.AddTo(command);
        command.SetHelpText("""
            Partition 0 is the whole disk.

            Example: qcow2 df disk.qcow2
            """);
        command.SetAction(parsed =>
        {
            GuestFaults faults = new(Console.Error);
            using Guest disk = Guest.Open(ProcessLimits.Watch(chainOptions.Open(parsed.GetRequiredValue(image), parsed)));
            if (disk.PartitionTableFault is { } fault)
            {
                faults.Report("the disk", fault.Message);
            }

            VolumeUsage[] volumes = [.. disk.Volumes.Select(volume => VolumeUsage.Of(volume, faults))];
            using Stream target = StandardOutput.Open();
            if (parsed.GetValue(output) == "json")
            {
                WriteJson(disk.PartitionTable, volumes, target);
            }
            else
            {
                WriteText(volumes, target);
            }

            return faults.ExitCode;
        });
        return command;
    }

    private static void WriteText(VolumeUsage[] volumes, Stream target)
    {
        using StreamWriter text = new(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        text.WriteLine($"{"PART",4} {"START",15} {"SIZE",9} {"USED",9} {"AVAIL",9}  {"CONTENT",-20} {"LABEL",-16} TYPE");
        foreach (VolumeUsage v in volumes)
        {
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{v.Volume.Number,4} {v.Volume.Start,15} {ByteSize.Text(v.Volume.Length),9} {Size(v.Usage?.UsedBytes),9} {Size(v.Usage?.AvailableBytes),9}  {v.Content,-20} {Label(v),-16} {PrintableText.Escape(v.Volume.Type)}"));
        }
    }

    private static string Size(long? bytes) => bytes is { } known ? ByteSize.Text(known) : "-";

    private static string Label(VolumeUsage volume) => volume.Label is { Length: > 0 } label ? PrintableText.Escape(label) : "-";

    private static void WriteJson(PartitionTableKind table, VolumeUsage[] volumes, Stream target)
    {
        using (Utf8JsonWriter json = new(target, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("partition-table", table switch
            {
                PartitionTableKind.Mbr => "MBR",
                PartitionTableKind.Gpt => "GPT",
                PartitionTableKind.Bsd => "BSD",
                PartitionTableKind.Apple => "Apple",
                _ => null,
            });
            json.WriteStartArray("volumes");
            foreach (VolumeUsage volume in volumes)
            {
                json.WriteStartObject();
                json.WriteNumber("partition", volume.Volume.Number);
                json.WriteString("type", volume.Volume.Type);
                json.WriteNumber("start", volume.Volume.Start);
                json.WriteNumber("length", volume.Volume.Length);
                json.WriteString("content", volume.Content);
                json.WriteString("label", volume.Label);
                WriteNumber(json, "used", volume.Usage?.UsedBytes);
                WriteNumber(json, "available", volume.Usage?.AvailableBytes);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        target.Write("\n"u8);
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value?.ToString(CultureInfo.InvariantCulture) ?? "null");
    }
}
