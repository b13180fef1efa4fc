using System.Globalization;
using System.Text;
using System.Text.Json;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream;

/// <summary>The written forms of a check, with the totals and field names of <c>qemu-img check</c>.</summary>
public static class CheckOutput
{
    // Findings can be many: they are handed on in pieces of this many bytes.
    private const int FlushBytes = 1 << 16;

    /// <summary>
    /// Checks the image and writes a line per finding, <c>SEVERITY: what is wrong (at byte N, guest offset N, snapshot
    /// ID)</c>, followed by the totals in the words of <c>qemu-img check</c>.
    /// </summary>
    /// <param name="check">The check to make.</param>
    /// <param name="output">Receives UTF-8; left open.</param>
    /// <param name="progress">Receives how far it has come: see <see cref="ImageCheck.Run"/>.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <returns>The totals.</returns>
    /// <inheritdoc cref="ImageCheck.Run" path="/exception"/>
    public static CheckSummary WriteText(
        this ImageCheck check, Stream output, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(check);
        using (Utf8Output text = new(output))
        {
            foreach (CheckFinding finding in check.Run(progress, cancellationToken))
            {
                text.Text(Encoding.UTF8.GetBytes(Line(finding)));
            }

            text.Text(Encoding.UTF8.GetBytes(Totals(check.Summary)));
        }

        return check.Summary;
    }

    /// <summary>
    /// Checks the image and writes an object with the fields of <c>qemu-img check --output=json</c>, after an array
    /// <c>findings</c> of objects with <c>severity</c>, <c>kind</c>, <c>host-offset</c>, <c>message</c> and, where
    /// they apply, <c>guest-offset</c>, <c>snapshot</c>, <c>refcount</c> and <c>references</c>. As there, counts that
    /// are 0 are left out, except <c>check-errors</c>.
    /// </summary>
    /// <inheritdoc cref="WriteText"/>
    public static CheckSummary WriteJson(
        this ImageCheck check, Stream output, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(check);
        ArgumentNullException.ThrowIfNull(output);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartObject();
            json.WriteStartArray("findings");
            foreach (CheckFinding finding in check.Run(progress, cancellationToken))
            {
                WriteFinding(json, finding);
                if (json.BytesPending > FlushBytes)
                {
                    json.Flush();
                }
            }

            json.WriteEndArray();
            WriteTotals(json, check);
            json.WriteEndObject();
        }

        output.Write("\n"u8);
        return check.Summary;
    }

    private static string Line(CheckFinding finding)
    {
        string guest = finding.GuestOffset is { } offset ? $", guest offset {offset}" : "";
        string snapshot = finding.SnapshotId is { } id ? $", snapshot {PrintableText.Escape(id)}" : "";
        return $"{Name(finding.Severity)}: {finding.Message} (at byte {finding.HostOffset}{guest}{snapshot})\n";
    }

    private static string Totals(CheckSummary summary)
    {
        StringBuilder text = new();
        void Add(string line) => text.Append(line).Append('\n');

        if (summary.IsClean)
        {
            Add("No errors were found on the image.");
        }

        if (summary.Corruptions > 0)
        {
            Add($"\n{summary.Corruptions} errors were found on the image.");
            Add("Data may be corrupted, or further writes to the image may corrupt it.");
        }

        if (summary.Leaks > 0)
        {
            Add($"\n{summary.Leaks} leaked clusters were found on the image.");
            Add("This means waste of disk space, but no harm to data.");
        }

        if (summary.CheckErrors > 0)
        {
            Add($"\n{summary.CheckErrors} internal errors have occurred during the check.");
        }

        if (summary.AllocatedClusters > 0 && summary.TotalClusters > 0)
        {
            string Share(long part, long whole) => (100.0 * part / whole).ToString("0.00", CultureInfo.InvariantCulture);
            Add($"{summary.AllocatedClusters}/{summary.TotalClusters} = {Share(summary.AllocatedClusters, summary.TotalClusters)}% allocated, "
                + $"{Share(summary.FragmentedClusters, summary.AllocatedClusters)}% fragmented, "
                + $"{Share(summary.CompressedClusters, summary.AllocatedClusters)}% compressed clusters");
        }

        Add($"Image end offset: {summary.ImageEndOffset}");
        return text.ToString();
    }

    private static void WriteFinding(Utf8JsonWriter json, CheckFinding finding)
    {
        json.WriteStartObject();
        json.WriteString("severity", Name(finding.Severity));
        json.WriteString("kind", JsonNamingPolicy.KebabCaseLower.ConvertName(finding.Kind.ToString()));
        json.WriteNumber("host-offset", finding.HostOffset);
        if (finding.GuestOffset is { } guestOffset)
        {
            json.WriteNumber("guest-offset", guestOffset);
        }

        if (finding.SnapshotId is { } snapshot)
        {
            json.WriteString("snapshot", snapshot);
        }

        if (finding.Refcount is { } refcount)
        {
            json.WriteNumber("refcount", refcount);
        }

        if (finding.References is { } references)
        {
            json.WriteNumber("references", references);
        }

        json.WriteString("message", finding.Message);
        json.WriteEndObject();
    }

    private static void WriteTotals(Utf8JsonWriter json, ImageCheck check)
    {
        CheckSummary summary = check.Summary;
        void Count(string name, long count)
        {
            if (count != 0)
            {
                json.WriteNumber(name, count);
            }
        }

        Count("image-end-offset", summary.ImageEndOffset);
        Count("total-clusters", summary.TotalClusters);
        Count("allocated-clusters", summary.AllocatedClusters);
        Count("fragmented-clusters", summary.FragmentedClusters);
        Count("compressed-clusters", summary.CompressedClusters);
        Count("leaks", summary.Leaks);
        Count("corruptions", summary.Corruptions);
        json.WriteNumber("check-errors", summary.CheckErrors);
        json.WriteString("filename", check.ImagePath);
        json.WriteString("format", "qcow2");
    }

    private static string Name(CheckSeverity severity) => severity switch
    {
        CheckSeverity.Warning => "warning",
        CheckSeverity.Leak => "leak",
        CheckSeverity.Corruption => "corruption",
        _ => "error",
    };
}
