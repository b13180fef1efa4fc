using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Shared;

namespace Qcow2Stream.Info;

/// <summary>What an image says of itself as lines, in the words of <c>qemu-img info</c>.</summary>
internal static class InfoText
{
    /// <summary>The lines of one image.</summary>
    public static string Of(ImageFacts image)
    {
        StringBuilder text = new();
        void Line(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name}: {PrintableText.Escape(value)}\n");

        Line("image", image.Path ?? "");
        Line("file format", image.FormatName);
        Line("virtual size", $"{Size(image.Length)} ({image.Length} bytes)");
        Line("disk size", Size(image.AllocatedLength));
        if (image.Encryption is not null)
        {
            Line("encrypted", "yes");
        }

        if (image.ClusterSize is { } clusterSize)
        {
            Line("cluster_size", $"{clusterSize}");
        }

        if (image.Backing?.Text is { } backingFile)
        {
            string? full = image.FullBackingFile;
            Line("backing file", full is null || full == backingFile ? backingFile : $"{backingFile} (actual path: {full})");
            if (image.Backing!.Format is { } backingFormat)
            {
                Line("backing file format", backingFormat);
            }
        }

        AppendSnapshots(text, image.Snapshots);
        if (image.Header is { } header)
        {
            text.Append("Format specific information:\n");
            AppendTree(text, InfoTree.Specific(image, header), depth: 1);
        }

        return text.ToString();
    }

    private static void AppendSnapshots(StringBuilder text, IReadOnlyList<Qcow2Snapshot> snapshots)
    {
        if (snapshots.Count == 0)
        {
            return;
        }

        text.Append("Snapshot list:\n");
        AppendRow(text, "ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT");
        foreach (Qcow2Snapshot snapshot in snapshots)
        {
            AppendRow(
                text,
                PrintableText.Escape(snapshot.Id),
                PrintableText.Escape(snapshot.Name),
                Size(snapshot.VmStateSize),
                snapshot.Date.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{(long)snapshot.VmClock.TotalHours:00}:{snapshot.VmClock:mm\\:ss\\.fff}"),
                snapshot.InstructionCount?.ToString(CultureInfo.InvariantCulture) ?? "");
        }
    }

    private static void AppendRow(StringBuilder text, string id, string tag, string size, string date, string clock, string count) =>
        text.Append(CultureInfo.InvariantCulture, $"{id,-9} {tag,-16} {size,8}{date,20}{clock,13}{count,11}\n");

    /// <summary>An object's members, or an array's elements, a line each, four blanks deeper than what holds them.</summary>
    private static void AppendTree(StringBuilder text, JsonNode tree, int depth)
    {
        IEnumerable<(string Name, JsonNode? Value)> members = tree is JsonArray array
            ? array.Select((value, i) => ($"[{i}]", value))
            : tree.AsObject().Select(m => (m.Key.Replace('-', ' '), m.Value));
        foreach ((string name, JsonNode? value) in members)
        {
            text.Append(' ', depth * 4).Append(name).Append(':');
            if (value is JsonArray or JsonObject)
            {
                text.Append('\n');
                AppendTree(text, value, depth + 1);
            }
            else
            {
                text.Append(' ').Append(PrintableText.Escape(value!.ToString())).Append('\n');
            }
        }
    }

    /// <summary>QEMU's form of a size: three significant digits and a binary unit.</summary>
    private static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;

        // At 1000 a third digit would not fit any more.
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        int decimals = value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
        string number = Math.Round(value, decimals).ToString("0.##", CultureInfo.InvariantCulture);
        return $"{number} {units[unit]}";
    }
}
