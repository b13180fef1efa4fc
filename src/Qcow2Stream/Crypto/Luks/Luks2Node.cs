using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>A value of LUKS2's JSON metadata, and where it is in them, for messages.</summary>
/// <param name="element">The value.</param>
/// <param name="path">The names that lead to it: <c>keyslots.0.kdf</c>.</param>
internal readonly struct Luks2Node(JsonElement element, string path)
{
    // Of a value in a message. The area may be one value of four MiB.
    private const int MostShown = 40;

    // Of 18446744073709551615.
    private const int MostDigits = 20;

    /// <summary>The names that lead here.</summary>
    public string Path => path;

    /// <summary>The string that this is.</summary>
    public string Text => element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Wrong("a string");

    /// <summary>The strings of the array that this is.</summary>
    public IEnumerable<string> Texts
    {
        get
        {
            Luks2Node self = this;
            return element.ValueKind == JsonValueKind.Array
                ? element.EnumerateArray().Select((item, i) => new Luks2Node(item, $"{self.Path}[{i}]").Text)
                : throw Wrong("an array of strings");
        }
    }

    /// <summary>The number that this is, in 32 bits.</summary>
    public uint Number => element.ValueKind == JsonValueKind.Number && element.TryGetUInt32(out uint number)
        ? number
        : throw Wrong($"a whole number from 0 to {uint.MaxValue}");

    /// <summary>The number in 64 bits that this is, as a string of digits.</summary>
    public ulong LongNumber => Text is { Length: > 0 and <= MostDigits } text
        && !text.AsSpan().ContainsAnyExceptInRange('0', '9')
        && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? number
            : throw Wrong($"a string of digits, from 0 to {ulong.MaxValue}");

    /// <summary>A member of the object that this is.</summary>
    public Luks2Node this[string name] => TryGet(name, out Luks2Node? member)
        ? member.Value
        : throw new CryptoFormatException($"{Below(name)} is missing");

    /// <summary>A member of the object that this is, if there is one.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Luks2Node? member)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("an object");
        }

        member = element.TryGetProperty(name, out JsonElement value) ? new Luks2Node(value, Below(name)) : null;
        return member is not null;
    }

    /// <summary>The members of the object that this is, each of which has a number for a name, in the order of these.</summary>
    /// <param name="most">How many there may be, and the number that none reaches.</param>
    public SortedDictionary<int, Luks2Node> Members(int most)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("an object");
        }

        SortedDictionary<int, Luks2Node> members = [];
        foreach (JsonProperty member in element.EnumerateObject())
        {
            // The name as it is written: one that has zeros before it, or escapes, is another one's double.
            if (!int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                || number >= most
                || number.ToString(CultureInfo.InvariantCulture) != member.Name)
            {
                throw new CryptoFormatException($"{path} has a member named {Cut(member.Name)}; names must be numbers from 0 to {most - 1}");
            }

            members.Add(number, new Luks2Node(member.Value, Below(member.Name)));
        }

        return members;
    }

    /// <summary>The bytes of the string in base64 that this is.</summary>
    /// <param name="least">The fewest bytes.</param>
    /// <param name="most">The most bytes.</param>
    public byte[] Bytes(int least, int most) =>
        element.ValueKind == JsonValueKind.String && element.TryGetBytesFromBase64(out byte[]? bytes) && bytes.Length >= least && bytes.Length <= most
            ? bytes
            : throw Wrong($"{(least == most ? $"{least}" : $"{least} to {most}")} bytes in base64");

    /// <summary>An error that says what this is, and what it must be.</summary>
    public CryptoFormatException Wrong(string rule) => new($"{path} is {Shown()}; it must be {rule}");

    private string Below(string name) => path.Length == 0 ? name : $"{path}.{name}";

    private string Shown() => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => Cut(element.GetRawText()),
    };

    private static string Cut(string text) => text.Length <= MostShown ? text : $"{text.AsSpan(0, MostShown)}…";
}
