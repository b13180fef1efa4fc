using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Qcow2Stream.Info;
using Shared;

namespace Qcow2Stream;

/// <summary>The written forms of <see cref="ImageInfo"/>, with the words and field names of <c>qemu-img info</c>.</summary>
public static class InfoOutput
{
    /// <summary>Writes one object per image, as <c>qemu-img info --output=json</c> does.</summary>
    /// <param name="images">The images, top first.</param>
    /// <param name="output">Receives UTF-8; left open.</param>
    /// <param name="asArray">An array of all images, as with <c>--backing-chain</c>; false writes the first image alone.</param>
    public static void WriteJson(this IReadOnlyList<ImageInfo> images, Stream output, bool asArray)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(output);
        JsonNode tree = asArray ? new JsonArray([.. images.Select(image => InfoTree.Of(image.Facts))]) : InfoTree.Of(images[0].Facts);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            tree.WriteTo(json);
        }

        output.Write("\n"u8);
    }

    /// <summary>Writes readable lines for each image, with an empty line between images.</summary>
    /// <param name="images">The images, top first.</param>
    /// <param name="output">Receives UTF-8; left open.</param>
    public static void WriteText(this IReadOnlyList<ImageInfo> images, Stream output)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(output);
        output.Write(Encoding.UTF8.GetBytes(string.Join("\n", images.Select(image => InfoText.Of(image.Facts)))));
    }
}
