using Shared;

namespace Qcow2Stream.FileSystems.Entries;

/// <summary>Makes text of the guest fit for messages: printable, and of a long one the beginning and the end.</summary>
internal static class ShortText
{
    private const int MostCharacters = 200;
    private const int Kept = 99;

    public static string Of(string text) => PrintableText.Escape(Cut(text));

    /// <summary>As <see cref="Of"/>, of what is printable.</summary>
    public static string Cut(string text) => text.Length <= MostCharacters ? text : $"{text[..Kept]}…{text[^Kept..]}";
}
