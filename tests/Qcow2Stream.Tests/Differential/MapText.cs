using System.Globalization;
using System.Text;

namespace Qcow2Stream.Tests.Differential;

/// <summary>Reads the text form of a map back, knowing nothing but its description.</summary>
internal static class MapText
{
    public static string Of(Action<MemoryStream> write)
    {
        using MemoryStream text = new();
        write(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>The map as <c>qemu-img map --output=json</c> prints it.</summary>
    public static string Json(Qcow2Chain chain) => Of(chain.Map().WithHostHoles().WriteJson);

    /// <summary>The lines as extents; those without a place as zeros. Files are found by their depth.</summary>
    public static List<MapExtent> Parse(string text, IReadOnlyList<ImageLayer> layers)
    {
        Assert.True(text.Length == 0 || text.EndsWith('\n'), "The last line is not ended.");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => ParseLine(l, layers))];
    }

    private static MapExtent ParseLine(string line, IReadOnlyList<ImageLayer> layers)
    {
        long[] fields = [.. line.Split(' ').Select(f => long.Parse(f, NumberStyles.None, CultureInfo.InvariantCulture))];
        MapExtent extent = new() { Start = fields[0], Length = fields[1], Kind = MapKind.Zero };
        if (fields.Length == 2)
        {
            return extent;
        }

        Assert.InRange(fields.Length, 4, 5);
        return extent with
        {
            Kind = fields.Length == 5 ? MapKind.Compressed : MapKind.Data,
            Depth = (int)fields[2],
            HostOffset = fields[3],
            HostLength = fields.Length == 5 ? fields[4] : extent.Length,
            HostPath = layers[(int)fields[2]].DataPath,
        };
    }
}
