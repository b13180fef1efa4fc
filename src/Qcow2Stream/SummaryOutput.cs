using System.Globalization;
using System.Text;
using System.Text.Json;
using Shared;

namespace Qcow2Stream;

/// <summary>The written forms of a <see cref="MapSummary"/>.</summary>
public static class SummaryOutput
{
    private static readonly string[] Heads = ["LAYER", "STORED", "COMPRESSED", "ZEROS", "HIDDEN", "DROPPABLE", "FRAGMENTS", "FORMAT", "FILE"];

    /// <summary>Writes a table with a line per layer, sizes in binary units, and a line of totals.</summary>
    /// <param name="summary">The summary.</param>
    /// <param name="output">Receives UTF-8; left open.</param>
    public static void WriteText(this MapSummary summary, Stream output)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(output);
        string[][] rows = [Heads, .. summary.Layers.Select(Row)];
        int[] widths = [.. Enumerable.Range(0, Heads.Length).Select(column => rows.Max(row => row[column].Length))];
        using StreamWriter text = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        foreach (string[] row in rows)
        {
            // Sizes are right-aligned, names are not.
            text.WriteLine(string.Join("  ", row.Select((cell, column) => column < 7 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        }

        text.WriteLine(
            $"\n{ByteSize.Text(summary.Length)}: {ByteSize.Text(summary.StoredBytes)} stored, {ByteSize.Text(summary.ZeroBytes)} zeros, {ByteSize.Text(summary.UnallocatedBytes)} never written");
    }

    /// <summary>Writes an object with the sizes in bytes, and an array <c>layers</c>.</summary>
    /// <inheritdoc cref="WriteText"/>
    public static void WriteJson(this MapSummary summary, Stream output)
    {
        ArgumentNullException.ThrowIfNull(summary);
        ArgumentNullException.ThrowIfNull(output);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartObject();
            json.WriteNumber("length", summary.Length);
            json.WriteNumber("stored", summary.StoredBytes);
            json.WriteNumber("zero", summary.ZeroBytes);
            json.WriteNumber("unallocated", summary.UnallocatedBytes);
            json.WriteStartArray("layers");
            foreach (LayerSummary layer in summary.Layers)
            {
                json.WriteStartObject();
                json.WriteNumber("depth", layer.Depth);
                json.WriteString("file", layer.Path);
                json.WriteString("format", layer.FormatName);
                json.WriteNumber("data", layer.DataBytes);
                json.WriteNumber("compressed", layer.CompressedBytes);
                json.WriteNumber("compressed-in-file", layer.CompressedHostBytes);
                json.WriteNumber("zero", layer.ZeroBytes);
                json.WriteNumber("hidden", layer.HiddenBytes);
                json.WriteNumber("hidden-in-file", layer.HiddenHostBytes);
                json.WriteNumber("fragments", layer.Fragments);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static string[] Row(LayerSummary layer) =>
    [
        layer.Depth.ToString(CultureInfo.InvariantCulture),
        ByteSize.Text(layer.StoredBytes),
        layer.CompressionRatio is { } ratio
            ? string.Create(CultureInfo.InvariantCulture, $"{ByteSize.Text(layer.CompressedBytes)} in {ByteSize.Text(layer.CompressedHostBytes)} ({ratio:0.0}:1)")
            : "-",
        ByteSize.Text(layer.ZeroBytes),
        ByteSize.Text(layer.HiddenBytes),
        ByteSize.Text(layer.HiddenHostBytes),
        layer.Fragments == 0 ? "-" : $"{layer.Fragments} of {ByteSize.Text(layer.HostBytes / layer.Fragments)}",
        layer.FormatName,
        PrintableText.Escape(layer.Path ?? "-"),
    ];
}
