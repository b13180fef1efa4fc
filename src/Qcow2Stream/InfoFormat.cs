using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Qcow2Stream;

/// <summary>The written forms of <see cref="ImageInfo"/>, with the words and field names of <c>qemu-img info</c>.</summary>
public static class InfoFormat
{
    private static readonly JsonWriterOptions Json = new()
    {
        Indented = true,
        IndentSize = 4,

        // Names go to terminals and web pages alike: only ASCII letters stay as they are.
        Encoder = JavaScriptEncoder.Default,
    };

    /// <summary>Writes one object an image as <c>qemu-img info --output=json</c> does.</summary>
    /// <param name="images">The images, top first.</param>
    /// <param name="output">Receives UTF-8; left open.</param>
    /// <param name="asArray">An array of all, as with <c>--backing-chain</c>; false writes the first image alone.</param>
    public static void WriteJson(this IReadOnlyList<ImageInfo> images, Stream output, bool asArray)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(output);
        using (Utf8JsonWriter json = new(output, Json))
        {
            if (!asArray)
            {
                WriteImage(json, images[0]);
            }
            else
            {
                json.WriteStartArray();
                foreach (ImageInfo image in images)
                {
                    WriteImage(json, image);
                }

                json.WriteEndArray();
            }
        }

        output.Write("\n"u8);
    }

    /// <summary>Writes a readable list of lines an image, images apart by an empty line.</summary>
    /// <param name="images">The images, top first.</param>
    /// <param name="output">Receives UTF-8; left open.</param>
    public static void WriteText(this IReadOnlyList<ImageInfo> images, Stream output)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(output);
        output.Write(Encoding.UTF8.GetBytes(string.Join("\n", images.Select(Text))));
    }

    private static string Text(ImageInfo image)
    {
        StringBuilder text = new();
        void Line(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name}: {PrintableText.Escape(value)}\n");

        Line("image", image.Path);
        Line("file format", FormatName(image));
        Line("virtual size", $"{Size(image.Length)} ({image.Length} bytes)");
        Line("disk size", Size(image.AllocatedLength));
        if (image.Header is not { } header)
        {
            return text.ToString();
        }

        Line("cluster_size", $"{header.ClusterSize}");
        if (header.BackingFile is { } backingFile)
        {
            string full = image.FullBackingFile!;
            Line("backing file", full == backingFile ? backingFile : $"{backingFile} (actual path: {full})");
            if (header.BackingFormat is { } backingFormat)
            {
                Line("backing file format", backingFormat);
            }
        }

        text.Append("Format specific information:\n");
        foreach ((string name, object value) in Specific(header))
        {
            Line("    " + name.Replace('-', ' '), value is bool flag ? (flag ? "true" : "false") : $"{value}");
        }

        return text.ToString();
    }

    private static void WriteImage(Utf8JsonWriter json, ImageInfo image)
    {
        json.WriteStartObject();
        json.WriteString("filename", image.Path);
        json.WriteString("format", FormatName(image));
        json.WriteNumber("virtual-size", image.Length);
        json.WriteNumber("actual-size", image.AllocatedLength);
        json.WriteBoolean("dirty-flag", image.Header?.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.Dirty) ?? false);
        if (image.Header is { } header)
        {
            json.WriteNumber("cluster-size", header.ClusterSize);
            if (header.BackingFile is { } backingFile)
            {
                json.WriteString("backing-filename", backingFile);
                json.WriteString("full-backing-filename", image.FullBackingFile);
                if (header.BackingFormat is { } backingFormat)
                {
                    json.WriteString("backing-filename-format", backingFormat);
                }
            }

            WriteSpecific(json, header);
        }

        json.WriteEndObject();
    }

    private static void WriteSpecific(Utf8JsonWriter json, Qcow2Header header)
    {
        json.WriteStartObject("format-specific");
        json.WriteString("type", "qcow2");
        json.WriteStartObject("data");
        foreach ((string name, object value) in Specific(header))
        {
            switch (value)
            {
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case int number:
                    json.WriteNumber(name, number);
                    break;
                default:
                    json.WriteString(name, (string)value);
                    break;
            }
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The fields that only qcow2 has, in QEMU's order; version 2 has fewer.</summary>
    private static IEnumerable<(string Name, object Value)> Specific(Qcow2Header header)
    {
        yield return ("compat", header.Version < 3 ? "0.10" : "1.1");
        yield return ("compression-type", header.CompressionType == Qcow2CompressionType.Zstd ? "zstd" : "zlib");
        if (header.Version >= 3)
        {
            yield return ("lazy-refcounts", header.HasLazyRefcounts);
        }

        yield return ("refcount-bits", header.RefcountBits);
        if (header.Version >= 3)
        {
            yield return ("corrupt", header.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.Corrupt));
            yield return ("extended-l2", header.IncompatibleFeatures.HasFlag(Qcow2IncompatibleFeatures.ExtendedL2));
        }
    }

    private static string FormatName(ImageInfo image) => image.Format == ImageFormat.Qcow2 ? "qcow2" : "raw";

    /// <summary>QEMU's form of a size: three significant digits and a binary unit.</summary>
    private static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double value = bytes;
        int unit = 0;

        // At 1000 a third digit would not fit any more.
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        int decimals = value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
        string number = Math.Round(value, decimals).ToString("0.##", CultureInfo.InvariantCulture);
        return $"{number} {units[unit]}";
    }
}
