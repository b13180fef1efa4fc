using System.Text;

namespace Qcow2Stream.Benchmarks.Results;

/// <summary>The rows as a Markdown table with straight columns, so that it reads well as plain text too.</summary>
internal static class RatioTable
{
    private static readonly string[] Heads = ["what", "peer", "peer's median", "ours", "ratio", "target", "verdict"];

    public static string Format(IEnumerable<ResultRow> rows)
    {
        List<string[]> lines = [Heads];
        lines.AddRange(rows.Select(row => new[]
        {
            row.Name, row.Peer, row.PeerMedian, row.Ours, row.Ratio, row.Target.ToString(), row.Verdict,
        }));
        int[] widths = [.. Heads.Select((_, column) => lines.Max(line => line[column].Length))];
        lines.Insert(1, [.. widths.Select((width, column) => IsNumber(column) ? new string('-', width - 1) + ":" : new string('-', width))]);
        StringBuilder text = new();
        foreach (string[] line in lines)
        {
            IEnumerable<string> cells = line.Select((cell, column) =>
                IsNumber(column) ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
        }

        return text.ToString();
    }

    private static bool IsNumber(int column) => column is 2 or 3 or 4;
}
