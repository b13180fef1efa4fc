using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Qcow2Stream.FileSystems;

/// <summary>
/// Names as text where a file system keeps them as bytes (ext, XFS, Btrfs, Rock Ridge): nothing there says that they are UTF-8, and two that aren't must
/// not become one. A byte that isn't part of UTF-8 is written <c>\xHH</c>, in lowercase, and a backslash that would look like the beginning of such an escape
/// <c>\x5c</c>; everything else is as it is. Each sequence of bytes has one text, and leads back to the same bytes. All members are thread-safe.
/// </summary>
public static class GuestText
{
    private const int EscapeLength = 4;
    private const byte FirstEscaped = 0x80;

    /// <summary>The text of a name, a path or the target of a link.</summary>
    /// <param name="name">Its bytes; any.</param>
    public static string FromBytes(ReadOnlySpan<byte> name)
    {
        if (Utf8.IsValid(name) && !name.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(name);
        }

        StringBuilder text = new(name.Length + 16);
        while (!name.IsEmpty)
        {
            bool isValid = Rune.DecodeFromUtf8(name, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (isValid && !(rune.Value == '\\' && StartsWithEscape(name)))
            {
                text.Append(rune.ToString());
            }
            else
            {
                length = isValid ? 1 : length;
                foreach (byte value in name[..length])
                {
                    text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
                }
            }

            name = name[length..];
        }

        return text.ToString();
    }

    /// <summary>The bytes of a name: of what <see cref="FromBytes"/> returns, those that it was given.</summary>
    /// <param name="text">The text; what no byte of a name has (an unpaired surrogate) becomes U+FFFD.</param>
    public static byte[] ToBytes(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int at = 0; at < bytes.Length; length++)
        {
            bool isEscape = StartsWithEscape(bytes.AsSpan(at));
            bytes[length] = isEscape ? ValueOf(bytes.AsSpan(at)) : bytes[at];
            at += isEscape ? EscapeLength : 1;
        }

        return bytes[..length];
    }

    /// <summary>The text of a field that ends with a zero byte if it isn't full.</summary>
    internal static string FromTerminated(ReadOnlySpan<byte> field) => FromBytes(field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field);

    private static bool StartsWithEscape(ReadOnlySpan<byte> text) =>
        text.Length >= EscapeLength && text[0] == '\\' && text[1] == 'x' && IsDigit(text[2]) && IsDigit(text[3])
        && ValueOf(text) is >= FirstEscaped or (byte)'\\';

    private static bool IsDigit(byte value) => value is (>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'f');

    private static byte ValueOf(ReadOnlySpan<byte> escape) =>
        byte.Parse(escape[2..EscapeLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
