using System.Text;
using System.Text.Json;
using Shared;

namespace Qcow2Stream;

/// <summary>The written forms of an inspection, as UTF-8. Each step is written as soon as it is known.</summary>
public static class InspectionOutput
{
    /// <summary>Writes a line <c>STAGE: TEXT</c> per step.</summary>
    /// <param name="steps">The steps, as <see cref="ImageInspection"/> finds them.</param>
    /// <param name="output">Receives the lines; left open.</param>
    public static void WriteText(this IEnumerable<InspectionStep> steps, Stream output)
    {
        ArgumentNullException.ThrowIfNull(steps);
        ArgumentNullException.ThrowIfNull(output);
        foreach (InspectionStep step in steps)
        {
            output.Write(Encoding.UTF8.GetBytes($"{Name(step.Stage)}: {step.Text}\n"));
        }
    }

    /// <summary>Writes an array of objects with <c>step</c> and <c>text</c>.</summary>
    /// <param name="steps">The steps, as <see cref="ImageInspection"/> finds them.</param>
    /// <param name="output">Receives the JSON; left open.</param>
    public static void WriteJson(this IEnumerable<InspectionStep> steps, Stream output)
    {
        ArgumentNullException.ThrowIfNull(steps);
        ArgumentNullException.ThrowIfNull(output);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartArray();
            foreach (InspectionStep step in steps)
            {
                json.WriteStartObject();
                json.WriteString("step", Name(step.Stage));
                json.WriteString("text", step.Text);
                json.WriteEndObject();
                json.Flush();
            }

            json.WriteEndArray();
        }

        output.Write("\n"u8);
    }

    private static string Name(InspectionStage stage) => stage switch
    {
        InspectionStage.File => "file",
        InspectionStage.Header => "header",
        InspectionStage.Image => "image alone",
        InspectionStage.Chain => "chain",
        _ => "map",
    };
}
