using System.Text.Json;

namespace Shared;

/// <summary>The one style of JSON here, which is QEMU's: four blanks a level, and names in-small-letters-with-dashes.</summary>
/// <remarks>Fields of formats keep the names that their specifications give them. The array of a map has one line per extent.</remarks>
internal static class JsonStyle
{
    /// <summary>Escapes all that is not plain ASCII: names go to terminals and web pages alike.</summary>
    public static JsonWriterOptions Options => new() { Indented = true, IndentSize = 4 };
}
