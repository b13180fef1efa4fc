using System.Globalization;
using System.Text;
using System.Text.Json;
using Shared;

namespace Qcow2Stream.FileSystems;

/// <summary>The written form of what is on a guest's volumes, as UTF-8.</summary>
public static class VolumeOutput
{
    /// <summary>
    /// Writes an object: <c>partition-table</c> (of the first disk), and <c>volumes</c>, each with <c>partition</c> (0 for a whole disk) or, if it lies on others, <c>name</c>,
    /// <c>members</c> and <c>uuid</c>, with <c>type</c>,
    /// <c>start</c>, <c>length</c>, <c>content</c>, <c>label</c>, <c>used</c> and <c>available</c> (in bytes; null where that isn't known). Volumes of other
    /// disks have their <c>disk</c> (from 2), what isn't found or read whole a <c>fault</c>, further devices of a file system, volume
    /// group or array a <c>device-of</c>, and Btrfs with more than one its <c>subvolumes</c>; one whose <c>path</c> isn't known, for which it is null, says
    /// why in its <c>path-fault</c>.
    /// </summary>
    /// <param name="guest">The guest.</param>
    /// <param name="reports">What is known of its volumes: <see cref="Guest.Report"/>.</param>
    /// <param name="output">Receives the JSON; left open.</param>
    public static void WriteJson(this Guest guest, IEnumerable<VolumeReport> reports, Stream output)
    {
        ArgumentNullException.ThrowIfNull(guest);
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(output);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartObject();
            json.WriteString("partition-table", guest.PartitionTable switch
            {
                PartitionTableKind.Mbr => "MBR",
                PartitionTableKind.Gpt => "GPT",
                PartitionTableKind.Bsd => "BSD",
                PartitionTableKind.Apple => "Apple",
                _ => null,
            });
            json.WriteStartArray("volumes");
            foreach (VolumeReport report in reports)
            {
                Write(json, report);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>
    /// Writes a table for people: a line for each volume, behind it those that lie on it, and below a Btrfs file system its subvolumes that the guest mounts. Text of the guest is escaped.
    /// </summary>
    /// <param name="reports">What is known of the volumes: <see cref="Guest.Report"/>.</param>
    /// <param name="output">Receives the text; left open.</param>
    public static void WriteText(this IEnumerable<VolumeReport> reports, Stream output)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(output);
        using StreamWriter text = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        text.WriteLine($"{"PART",4} {"START",15} {"SIZE",9} {"USED",9} {"AVAIL",9}  {"CONTENT",-20} {"LABEL",-16} TYPE");
        foreach (VolumeReport v in reports)
        {
            text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{v.Volume.Number switch { GuestVolume.NoPartition => "", _ => v.Volume.Address },4} {Start(v.Volume),15} {ByteSize.Text(v.Volume.Length),9} {Size(v.Usage?.UsedBytes),9} {Size(v.Usage?.AvailableBytes),9}  {Content(v),-20} {Label(v),-16} {Type(v.Volume)}"));
            foreach (GuestSubvolume subvolume in v.Subvolumes.Where(each => each.MountPoint is not null))
            {
                text.WriteLine($"{"",52}{PrintableText.Escape(subvolume.MountPoint!)}: subvolume {subvolume.Number}{Path(subvolume)}");
            }

            if (v.Subvolumes.Count(each => each.MountPoint is null) is > 0 and var others)
            {
                text.WriteLine($"{"",52}not mounted: {others}");
            }
        }
    }

    private static void Write(Utf8JsonWriter json, VolumeReport report)
    {
        GuestVolume volume = report.Volume;
        json.WriteStartObject();
        WritePlace(json, volume);
        json.WriteString("type", volume.Type);
        json.WriteNumber("start", volume.Start);
        json.WriteNumber("length", volume.Length);
        json.WriteString("content", report.Content);
        json.WriteString("label", report.Label);
        WriteNumber(json, "used", report.Usage?.UsedBytes);
        WriteNumber(json, "available", report.Usage?.AvailableBytes);
        if (volume.Uuid is { } uuid)
        {
            json.WriteString("uuid", uuid);
        }

        if (volume.Fault is { } fault)
        {
            json.WriteString("fault", fault);
        }

        if (volume.Members.Count > 0)
        {
            json.WriteStartArray("members");
            foreach (GuestVolume member in volume.Members)
            {
                json.WriteStartObject();
                WritePlace(json, member);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (volume.DeviceOf is { } first)
        {
            json.WriteStartObject("device-of");
            WritePlace(json, first);
            json.WriteEndObject();
        }

        if (report.Subvolumes.Count > 0)
        {
            json.WriteStartArray("subvolumes");
            foreach (GuestSubvolume subvolume in report.Subvolumes)
            {
                json.WriteStartObject();
                json.WriteNumber("number", subvolume.Number);
                json.WriteString("path", subvolume.Path);
                if (subvolume.PathFault is { } pathFault)
                {
                    json.WriteString("path-fault", pathFault);
                }

                json.WriteString("mount-point", subvolume.MountPoint);
                json.WriteBoolean("read-only", subvolume.IsReadOnly);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WritePlace(Utf8JsonWriter json, GuestVolume volume)
    {
        if (volume.Disk > 1)
        {
            json.WriteNumber("disk", volume.Disk);
        }

        if (volume.Name is { } name)
        {
            json.WriteString("name", name);
        }
        else
        {
            json.WriteNumber("partition", volume.Number);
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value?.ToString(CultureInfo.InvariantCulture) ?? "null");
    }

    /// <summary>Where a partition starts; what lies on others starts in many places.</summary>
    private static string Start(GuestVolume volume) => volume.Members.Count == 0 ? volume.Start.ToString(CultureInfo.InvariantCulture) : "-";

    /// <summary>What lies on others stands behind them, indented, with its name.</summary>
    private static string Type(GuestVolume volume) =>
        $"{new string(' ', 2 * Depth(volume))}{(volume.Name is { } name ? PrintableText.Escape(name) + ", " : "")}{PrintableText.Escape(volume.Type)}";

    private static int Depth(GuestVolume volume) => volume.Members.Count == 0 ? 0 : Depth(volume.Members[0]) + 1;

    private static string Size(long? bytes) => bytes is { } known ? ByteSize.Text(known) : "-";

    private static string Content(VolumeReport report) => report.Volume switch
    {
        { DeviceOf: { } first } => $"{report.Content}, with {PrintableText.Escape(first.Address)}",
        { IsLocked: true } => $"{report.Content}, locked",
        _ => report.Content,
    };

    private static string Label(VolumeReport report) => report.Label is { Length: > 0 } label ? PrintableText.Escape(label) : "-";

    private static string Path(GuestSubvolume subvolume) => subvolume.Path switch
    {
        null => ", whose path is not known",
        "" => ", the top level",
        var path => $", {PrintableText.Escape(path)}",
    };
}
