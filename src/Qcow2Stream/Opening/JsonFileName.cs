using System.Text;
using System.Text.Json;
using Shared;

namespace Qcow2Stream.Opening;

/// <summary>
/// A backing file's name in QEMU's form <c>json:{…}</c>, as far as it means one file of the host in one format. Text in,
/// value out.
/// </summary>
/// <param name="FileName">The file's name, which is literal: it has no protocol in front.</param>
/// <param name="Format">The format; null to let the magic decide.</param>
internal readonly record struct JsonFileName(string FileName, string? Format)
{
    /// <summary>How a fault ends in which the caller's limit has a part.</summary>
    public const string TooDeep = $" that {nameof(Qcow2OpenOptions.MaxJsonDepth)} allows";

    private const string FileDriver = "file";
    private const string DriverKey = "driver";
    private const string FileNameKey = "filename";
    private const string FilePrefix = "file.";

    // How a file is opened, cached, locked or written, but not what is read from it.
    private static readonly HashSet<string> HarmlessKeys =
    [
        "node-name", "read-only", "auto-read-only", "force-share", "discard", "detect-zeroes",
        "cache.direct", "cache.no-flush", "locking", "aio",
    ];

    private static ReadOnlySpan<byte> Scheme => "json:"u8;

    /// <summary>Whether a recorded name is in this form.</summary>
    public static bool IsJson(ReadOnlySpan<byte> recorded) => recorded.StartsWith(Scheme);

    /// <summary>Parses a recorded name.</summary>
    /// <param name="recorded">The bytes in the image, <c>json:</c> in front.</param>
    /// <param name="recordedFormat">The format that the image records beside the name; it wins over the name's driver, as in QEMU.</param>
    /// <param name="maxDepth">How deep objects may be nested, 1 or more.</param>
    /// <param name="name">What the name says.</param>
    /// <returns>Null if the name can be looked at further; otherwise what is wrong with it.</returns>
    public static string? Parse(ReadOnlyMemory<byte> recorded, string? recordedFormat, int maxDepth, out JsonFileName name)
    {
        name = default;
        Dictionary<string, JsonElement> options = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(recorded[Scheme.Length..], new JsonDocumentOptions { MaxDepth = maxDepth });
            return document.RootElement.ValueKind != JsonValueKind.Object
                ? "its json: name is not an object"
                : Flatten(document.RootElement, "", options) ?? Interpret(options, recordedFormat, out name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: text that is not valid Unicode.
            return $"its json: name is not valid JSON, or is nested deeper than the {maxDepth}{TooDeep}";
        }
    }

    /// <summary>Nested objects and dotted keys say the same.</summary>
    private static string? Flatten(JsonElement value, string prefix, Dictionary<string, JsonElement> options)
    {
        foreach (JsonProperty member in value.EnumerateObject())
        {
            string key = prefix + member.Name;
            string? fault = member.Value.ValueKind switch
            {
                JsonValueKind.Object => Flatten(member.Value, key + ".", options),
                JsonValueKind.Array => NotHandled(key),
                _ => options.TryAdd(key, member.Value) ? null : $"its json: name says '{PrintableText.Escape(key)}' twice",
            };
            if (fault is not null)
            {
                return fault;
            }
        }

        return null;
    }

    private static string? Interpret(Dictionary<string, JsonElement> options, string? recordedFormat, out JsonFileName name)
    {
        name = default;
        if (options.FirstOrDefault(o => IsName(o.Key) && o.Value.ValueKind != JsonValueKind.String).Key is { } odd)
        {
            return $"its json: name has no text for '{odd}'";
        }

        string? driver = TextOf(options, DriverKey);

        // The driver "file" by itself serves the bytes as they are; any other is a format, over a driver that serves a file.
        bool isPlain = driver == FileDriver && recordedFormat is null;
        string prefix = isPlain ? "" : FilePrefix;
        if (TextOf(options, prefix + FileNameKey) is not { } fileName)
        {
            return driver is null or FileDriver
                ? $"its json: name has no '{prefix}{FileNameKey}'"
                : $"its json: name asks for the driver '{PrintableText.Escape(driver)}' without a '{prefix}{FileNameKey}'; only files are opened";
        }

        if (TextOf(options, prefix + DriverKey) is { } fileDriver && fileDriver != FileDriver)
        {
            return $"its json: name asks for the driver '{PrintableText.Escape(fileDriver)}' to open a file; only '{FileDriver}' is handled";
        }

        if (IsJson(Encoding.UTF8.GetBytes(fileName)))
        {
            return "its json: name holds another json: name";
        }

        string[] known = [DriverKey, prefix + DriverKey, prefix + FileNameKey];
        foreach (string key in options.Keys)
        {
            string plain = key.StartsWith(FilePrefix, StringComparison.Ordinal) ? key[FilePrefix.Length..] : key;
            if (!known.Contains(key) && !HarmlessKeys.Contains(plain))
            {
                return NotHandled(key);
            }
        }

        name = new JsonFileName(fileName, recordedFormat ?? (isPlain ? "raw" : driver));
        return null;
    }

    private static bool IsName(string key) =>
        key is DriverKey or FileNameKey or FilePrefix + DriverKey or FilePrefix + FileNameKey;

    private static string? TextOf(Dictionary<string, JsonElement> options, string key) =>
        options.TryGetValue(key, out JsonElement value) ? value.GetString() : null;

    private static string NotHandled(string key) =>
        $"its json: name has the option '{PrintableText.Escape(key)}', which is not handled";
}
