using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Qcow2Stream.Text;
using Qcow2Stream.Translation;
using Shared;

namespace Qcow2Stream.Mapping.Picture;

/// <summary>Writes a picture of a map as SVG: rows of cells, their offsets beside them, and a legend with totals below.</summary>
/// <param name="text">Receives it.</param>
/// <param name="picture">The cells.</param>
/// <param name="summary">The totals.</param>
internal sealed class SvgWriter(Utf8Output text, MapPicture picture, MapSummary summary)
{
    // In pixels.
    private const int Width = 1024;
    private const int Left = 96;
    private const int Top = 72;
    private const int RowHeight = 10;
    private const int LineHeight = 20;
    private const int LabelEvery = 4;
    private const double CellWidth = 1.75;
    private const int MaxName = 60;

    private const string Ink = "#222";
    private const string Empty = "#ececec";

    private readonly Grid _grid = picture.Grid;

    private int LegendTop => Top + (_grid.Rows * RowHeight) + 28;

    public void Write()
    {
        int lines = summary.Layers.Sum(l => l.CompressedBytes > 0 ? 2 : 1) + 3;
        int height = LegendTop + (lines * LineHeight);
        string title = $"Map of {NameOf(summary.Layers[0])}: {ByteSize.Text(summary.Length)}";
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" role="img" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12" fill="{Ink}">""");
        Line($"<title>{Escape(title)}</title>");
        Line("<defs>");
        WritePattern("zero", "#fff", "none", """<circle cx="2" cy="2" r=".9" fill="#777"/>""", 4);
        for (int depth = 0; depth < summary.Layers.Count; depth++)
        {
            WritePattern($"c{depth}", "#fff", "rotate(45)", $"""<rect width="3" height="4.5" fill="{ColorOf(depth)}"/>""", 4.5);
        }

        Line("</defs>");
        Line("""<rect width="100%" height="100%" fill="#fff"/>""");
        Line($"""<text x="{Left}" y="28" font-size="16" font-weight="600">{Escape(title)}</text>""");
        WriteRuler();
        WriteRows();
        WriteLegend();
        Line("</svg>");
    }

    /// <summary>A tile; those of the cells are drawn in their coordinates, which the transform takes back to pixels.</summary>
    private void WritePattern(string name, string background, string turn, string content, double size)
    {
        string back = FormattableString.Invariant($"scale({1 / CellWidth:0.####} {1.0 / RowHeight:0.####})");
        foreach ((string suffix, string transform) in new[] { ("", turn == "none" ? "" : turn), ("-cell", turn == "none" ? back : $"{back} {turn}") })
        {
            string side = size.ToString(CultureInfo.InvariantCulture);
            Line($"""<pattern id="{name}{suffix}" width="{side}" height="{side}" patternUnits="userSpaceOnUse" patternTransform="{transform}"><rect width="{side}" height="{side}" fill="{background}"/>{content}</pattern>""");
        }
    }

    private void WriteRuler()
    {
        for (int quarter = 0; quarter <= 4; quarter++)
        {
            string anchor = quarter == 0 ? "start" : quarter == 4 ? "end" : "middle";
            string label = quarter == 0 ? "+0" : $"+{ByteSize.Text(_grid.RowBytes / 4 * quarter)}";
            double x = Left + (quarter * Grid.Columns * CellWidth / 4);
            Line(string.Create(CultureInfo.InvariantCulture, $"""<text x="{x}" y="{Top - 8}" font-size="10" text-anchor="{anchor}">{label}</text>"""));
        }
    }

    private void WriteRows()
    {
        Line("""<g font-size="10" text-anchor="end">""");
        for (int row = 0; row < _grid.Rows; row += LabelEvery)
        {
            string offset = row == 0 && _grid.Start == 0 ? "0" : ByteSize.Text(_grid.Start + (row * _grid.RowBytes));
            Line($"""<text x="{Left - 8}" y="{Top + (row * RowHeight) + 8}">{offset}</text>""");
        }

        Line("</g>");
        Line(string.Create(CultureInfo.InvariantCulture, $"""<g transform="translate({Left} {Top}) scale({CellWidth} {RowHeight})" shape-rendering="crispEdges">"""));
        WriteEmptyRows();
        foreach ((CellStyle style, List<CellRun> runs) in picture.Cells.OrderBy(c => (c.Key.Depth, c.Key.Kind, c.Key.Quarters)))
        {
            WriteCells(style, runs);
        }

        Line("</g>");
    }

    private void WriteEmptyRows()
    {
        text.Text("<path fill=\""u8).Text(Encoding.UTF8.GetBytes(Empty)).Text("\" d=\""u8);
        for (int row = 0; row < _grid.Rows; row++)
        {
            long bytes = Math.Min(_grid.RowBytes, _grid.Length - (row * _grid.RowBytes));
            WriteRectangle(new CellRun(row, 0, (int)(((bytes - 1) / _grid.CellBytes) + 1)));
        }

        text.Text("\"><title>never written</title></path>\n"u8);
    }

    private void WriteCells(CellStyle style, List<CellRun> runs)
    {
        (string fill, string name) = style.Kind switch
        {
            RunKind.Zero => ("url(#zero-cell)", "zeros"),
            RunKind.Compressed => ($"url(#c{style.Depth}-cell)", $"layer {style.Depth}, compressed"),
            _ => (ColorOf(style.Depth), $"layer {style.Depth}"),
        };
        string opacity = (0.4 + (0.15 * style.Quarters)).ToString("0.##", CultureInfo.InvariantCulture);
        text.Text(Encoding.UTF8.GetBytes($"""<path fill="{fill}" fill-opacity="{opacity}" d=" """.TrimEnd()));
        foreach (CellRun run in runs)
        {
            WriteRectangle(run);
        }

        Line($"\"><title>{name}</title></path>");
    }

    private void WriteRectangle(CellRun run) => text
        .Text("M"u8).Number(run.Column).Text(" "u8).Number(run.Row)
        .Text("h"u8).Number(run.Count).Text("v.9h-"u8).Number(run.Count).Text("z"u8);

    private void WriteLegend()
    {
        int y = LegendTop;
        foreach (LayerSummary layer in summary.Layers)
        {
            string hidden = layer.HiddenBytes > 0 ? $", {ByteSize.Text(layer.HiddenBytes)} of it hidden by layers above" : "";
            WriteEntry(ref y, ColorOf(layer.Depth), $"layer {layer.Depth}, {NameOf(layer)} ({layer.FormatName}): {ByteSize.Text(layer.StoredBytes)}{hidden}");
            if (layer.CompressionRatio is { } ratio)
            {
                WriteEntry(
                    ref y,
                    $"url(#c{layer.Depth})",
                    string.Create(CultureInfo.InvariantCulture, $"layer {layer.Depth}, compressed: {ByteSize.Text(layer.CompressedBytes)} in {ByteSize.Text(layer.CompressedHostBytes)} ({ratio:0.0} to 1)"));
            }
        }

        WriteEntry(ref y, "url(#zero)", $"zeros: {ByteSize.Text(summary.ZeroBytes)}");
        WriteEntry(ref y, Empty, $"never written: {ByteSize.Text(summary.UnallocatedBytes)}");
        Line($"""<text x="{Left}" y="{y + 11}" fill="#555">{ByteSize.Text(summary.StoredBytes)} of {ByteSize.Text(summary.Length)} stored. A row is {ByteSize.Text(_grid.RowBytes)}; paler: stored in parts.</text>""");
    }

    private void WriteEntry(ref int y, string fill, string label)
    {
        Line($"""<rect x="{Left}" y="{y}" width="28" height="14" fill="{fill}" stroke="#888" stroke-width=".5"/><text x="{Left + 36}" y="{y + 11}">{Escape(label)}</text>""");
        y += LineHeight;
    }

    private string ColorOf(int depth) => LayerColors.Of(depth, summary.Layers.Count);

    /// <summary>The end of a long name says more than its start.</summary>
    private static string NameOf(LayerSummary layer)
    {
        string name = PrintableText.Escape(layer.Path is null ? "a stream" : Path.GetFileName(layer.Path));
        if (name.Length <= MaxName)
        {
            return name;
        }

        // No half of a character stands at the start.
        int start = name.Length - MaxName;
        return $"…{name[(char.IsLowSurrogate(name[start]) ? start + 1 : start)..]}";
    }

    private static string Escape(string value) => new XText(value).ToString();

    private void Line(string line) => text.Text(Encoding.UTF8.GetBytes(line)).Text("\n"u8);
}
