namespace Qcow2Stream.Cli.Converting;

/// <summary>The names of formats, and the files that have them.</summary>
internal static class OutputFormats
{
    public static IReadOnlyDictionary<string, OutputFormat> ByName { get; } = new Dictionary<string, OutputFormat>
    {
        ["raw"] = OutputFormat.Raw,
        ["vhdx"] = OutputFormat.Vhdx,
        ["vmdk"] = OutputFormat.Vmdk,
        ["vhd"] = OutputFormat.Vhd,
    };

    /// <summary>The format by the end of a file's name: raw where it gives none.</summary>
    /// <exception cref="IOException">It gives one that is not written.</exception>
    public static OutputFormat Of(string path)
    {
        string extension = Path.GetExtension(path).TrimStart('.').ToLowerInvariant();
        return extension switch
        {
            "qcow2" or "qcow" or "vdi" => throw new IOException(
                $"{extension} can't be written: OUT can be {string.Join(", ", ByName.Keys)} (to write one of them under that name: --format)"),
            "vpc" => OutputFormat.Vhd,
            _ => ByName.GetValueOrDefault(extension, OutputFormat.Raw),
        };
    }
}
