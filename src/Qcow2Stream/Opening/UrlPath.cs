using System.Buffers;
using System.Globalization;
using System.Text;

namespace Qcow2Stream.Opening;

/// <summary>
/// What servers may make of a path: some decode it twice, drop what follows a semicolon, or take other characters for dots and
/// separators. A path that leaves its directory for any of them is refused for all.
/// </summary>
internal static class UrlPath
{
    // A path that is still encoded after so many rounds is encoded to hide something.
    private const int MaxRounds = 8;

    // Also those that some file systems' code pages turn into them.
    private static readonly SearchValues<char> Separators = SearchValues.Create("/\\\u2044\u2215\u29F8\uFF0F\uFF3C");
    private const string Dots = ".\u2024\uFE52\uFF0E";
    private const char TwoDots = '\u2025';

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether each segment of a path is a plain name for every server, none of which leads upwards.</summary>
    /// <param name="path">Escaped; its dot segments are resolved.</param>
    public static bool IsPlain(ReadOnlySpan<char> path)
    {
        foreach (Range segment in path.Split('/'))
        {
            if (!IsPlainSegment(path[segment].ToString()))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsPlainSegment(string segment)
    {
        string text = segment;
        for (int round = 0; round < MaxRounds; round++)
        {
            if (text.AsSpan().ContainsAny(Separators) || text.Any(char.IsControl) || IsUpwards(text))
            {
                return false;
            }

            if (Decode(text) is not { } decoded)
            {
                return false;
            }

            if (decoded == text)
            {
                return true;
            }

            text = decoded;
        }

        return false;
    }

    /// <summary>Two dots or more, once parameters, and the dots and spaces that Windows drops from the end of a name, are left out.</summary>
    private static bool IsUpwards(string text)
    {
        string name = text.Split(';')[0];
        int dots = 0;
        foreach (char c in name)
        {
            if (c == TwoDots)
            {
                dots += 2;
            }
            else if (Dots.Contains(c, StringComparison.Ordinal))
            {
                dots++;
            }
            else if (!char.IsWhiteSpace(c))
            {
                return false;
            }
        }

        return dots >= 2;
    }

    /// <summary>Decodes once, %XX and the %uXXXX of old servers; null if the bytes aren't UTF-8.</summary>
    private static string? Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        List<byte> bytes = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && TryHex(text, i + 1, 2, out int value))
            {
                bytes.Add((byte)value);
                i += 2;
            }
            else if (text[i] == '%' && i + 1 < text.Length && text[i + 1] is 'u' or 'U' && TryHex(text, i + 2, 4, out value))
            {
                bytes.AddRange(Encoding.UTF8.GetBytes([(char)value]));
                i += 5;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes([text[i]]));
            }
        }

        try
        {
            return StrictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool TryHex(string text, int start, int length, out int value)
    {
        value = 0;
        return start + length <= text.Length
            && int.TryParse(text.AsSpan(start, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
