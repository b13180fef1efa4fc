using DiscUtils.Streams;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <summary>
/// The written forms of plain extents, such as those that a dirty bitmap marks, as buffered UTF-8. They aren't extension methods:
/// those would show up at every list of extents that DiscUtils gives.
/// </summary>
public static class ExtentOutput
{
    /// <summary>Writes a line <c>START LENGTH</c> per extent, decimal and in bytes: what a dirty bitmap marks.</summary>
    /// <param name="extents">The extents to write.</param>
    /// <param name="output">Receives the lines; left open.</param>
    public static void WriteText(IEnumerable<StreamExtent> extents, Stream output)
    {
        ArgumentNullException.ThrowIfNull(extents);
        ArgumentNullException.ThrowIfNull(output);
        using Utf8Output text = new(output);
        foreach (StreamExtent extent in extents)
        {
            text.Number(extent.Start).Text(" "u8).Number(extent.Length).Text("\n"u8);
        }
    }

    /// <summary>Writes an array of objects with <c>start</c> and <c>length</c>: what a dirty bitmap marks.</summary>
    /// <param name="extents">The extents to write.</param>
    /// <param name="output">Receives the JSON; left open.</param>
    public static void WriteJson(IEnumerable<StreamExtent> extents, Stream output)
    {
        ArgumentNullException.ThrowIfNull(extents);
        ArgumentNullException.ThrowIfNull(output);
        using Utf8Output text = new(output);
        ReadOnlySpan<byte> separator = "["u8;
        foreach (StreamExtent extent in extents)
        {
            text.Text(separator).Text("{ \"start\": "u8).Number(extent.Start).Text(", \"length\": "u8).Number(extent.Length).Text("}"u8);
            separator = ",\n"u8;
        }

        text.Text(separator.Length == 1 ? "[]\n"u8 : "]\n"u8);
    }
}
