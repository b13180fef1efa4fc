using System.Globalization;
using System.Text;

namespace Shared;

/// <summary>Makes text that comes out of an image (names of files, formats, features) fit for messages and terminals.</summary>
internal static class PrintableText
{
    /// <summary>
    /// Returns <paramref name="text"/> with control, formatting (bidirectional marks among them) and
    /// unassigned characters written as \u escapes.
    /// </summary>
    public static string Escape(string text)
    {
        int first = text.AsSpan().IndexOfAnyExceptInRange(' ', '~');
        if (first < 0)
        {
            return text;
        }

        StringBuilder escaped = new(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
        {
            // An unpaired surrogate is enumerated as the replacement character.
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)
            {
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            }
            else
            {
                escaped.Append(rune.ToString());
            }
        }

        return escaped.ToString();
    }
}
