using System.Globalization;
using System.Text;
using System.Text.Json;
using Shared;

namespace Qcow2Stream.Cli.Comparing;

/// <summary>What comparing two disks found, and how that is reported.</summary>
/// <param name="first">One disk.</param>
/// <param name="second">The other.</param>
/// <param name="isStrict">Whether disks of different sizes differ, whatever the rest of the larger is.</param>
/// <param name="difference">The first byte at which they differ; null if none does.</param>
internal sealed class Comparison(Qcow2Chain first, Qcow2Chain second, bool isStrict, long? difference)
{
    public bool AreSame => difference is null && !(isStrict && first.Length != second.Length);

    /// <summary>Writes what was found, with a line of the map for each disk where they differ.</summary>
    public void WriteText(Stream output, string firstName, string secondName)
    {
        using StreamWriter text = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
        if (first.Length != second.Length)
        {
            text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the sizes differ: {first.Length} and {second.Length} bytes"));
        }

        if (difference is not { } offset)
        {
            text.WriteLine(AreSame ? "the disks are the same" : "what both have is the same, and the rest is zeros");
            return;
        }

        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the first difference is at {offset}"));
        foreach ((string name, Qcow2Chain chain) in new[] { (firstName, first), (secondName, second) })
        {
            text.WriteLine($"{PrintableText.Escape(name)}: {ByteAt(chain, offset)}");
            text.Flush();
            Place(chain, offset).WriteText(output);
        }
    }

    /// <summary>Writes an object: <c>same</c>, <c>size-a</c>, <c>size-b</c> and, where they differ, <c>offset</c>, <c>a</c> and <c>b</c>.</summary>
    public void WriteJson(Stream output)
    {
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartObject();
            json.WriteBoolean("same", AreSame);
            json.WriteNumber("size-a", first.Length);
            json.WriteNumber("size-b", second.Length);
            if (difference is { } offset)
            {
                json.WriteNumber("offset", offset);
                WritePlace(json, "a", first, offset);
                WritePlace(json, "b", second, offset);
            }

            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>The extent that starts at the difference; nothing past the end of the disk.</summary>
    private static IEnumerable<MapExtent> Place(Qcow2Chain chain, long offset) => chain.Map(offset, long.MaxValue).WithHostHoles().Take(1);

    private static string ByteAt(Qcow2Chain chain, long offset)
    {
        Span<byte> value = stackalloc byte[1];
        return chain.ReadAt(offset, value) == 0 ? "it ends before that" : $"0x{value[0]:x2} there";
    }

    private static void WritePlace(Utf8JsonWriter json, string name, Qcow2Chain chain, long offset)
    {
        using MemoryStream array = new();
        Place(chain, offset).WriteJson(array);
        if (array.Length <= "[]\n".Length)
        {
            return;
        }

        json.WritePropertyName(name);

        // An array of one, and a line's end.
        json.WriteRawValue(array.ToArray().AsSpan()[1..^2]);
    }
}
