using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Qcow2Stream.Format;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Text;
using Shared;

namespace Qcow2Stream;

/// <summary>
/// The header of a qcow2 file as it is, right or wrong: its fields and its header extensions, each with the
/// names and in the form that QEMU's test script qcow2.py prints. Nothing is checked, so it also shows what is
/// wrong with a file that does not open. Immutable.
/// </summary>
public sealed class HeaderDump
{
    /// <summary>Says what a file is that is no qcow2 image.</summary>
    internal const string WhatItIs = $"{nameof(ImageInfo)}, or {nameof(ImageInspection)}";

    private const int NameColumn = -25;
    private const int MaxLength = 1 << 21;

    private readonly byte[] _start;
    private readonly List<Qcow2HeaderExtension> _extensions;
    private readonly List<HeaderDumpField> _fields = [];

    private HeaderDump(byte[] start)
    {
        _start = start;
        _extensions = ReadExtensions();
        ReadFields();
    }

    /// <summary>The fields, in the order of the file. Those of version 3 are there if the version says so.</summary>
    public IReadOnlyList<HeaderDumpField> Fields => _fields;

    /// <summary>The header extensions, in the order of the file, as far as they can be made out.</summary>
    public IReadOnlyList<Qcow2HeaderExtension> Extensions => _extensions;

    /// <summary>Reads the header of a file, whatever state it is in.</summary>
    /// <param name="path">A regular file.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access.</exception>
    /// <exception cref="Qcow2FormatException">The file does not start with the magic of qcow2.</exception>
    public static HeaderDump Read(string path) => ReadAsync(ImageSource.Of(path), async: false, default).Now();

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="uri">An absolute address, http or https.</param>
    /// <param name="options">How to ask the server, and who owns the file; null for the defaults.</param>
    public static HeaderDump Read(Uri uri, Qcow2OpenOptions? options = null) =>
        ReadAsync(ImageSource.Of(uri, options), async: false, default).Now();

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="stream">Readable and seekable. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">Who owns the stream; null for the defaults.</param>
    public static HeaderDump Read(Stream stream, Qcow2OpenOptions? options = null) =>
        ReadAsync(ImageSource.Of(stream, options), async: false, default).Now();

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="file">A file of any kind. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">Who owns the file; null for the defaults.</param>
    public static HeaderDump Read(HostFile file, Qcow2OpenOptions? options = null) =>
        ReadAsync(ImageSource.Of(file, options), async: false, default).Now();

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="path">A regular file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<HeaderDump> ReadAsync(string path, CancellationToken cancellationToken = default) =>
        await ReadAsync(ImageSource.Of(path), async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Read(Uri, Qcow2OpenOptions?)"/>
    /// <param name="uri">An absolute address, http or https.</param>
    /// <param name="options">How to ask the server, and who owns the file; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<HeaderDump> ReadAsync(Uri uri, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadAsync(ImageSource.Of(uri, options), async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Read(Stream, Qcow2OpenOptions?)"/>
    /// <param name="stream">Readable and seekable. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">Who owns the stream; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<HeaderDump> ReadAsync(Stream stream, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadAsync(ImageSource.Of(stream, options), async: true, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc cref="Read(HostFile, Qcow2OpenOptions?)"/>
    /// <param name="file">A file of any kind. It is closed, unless <see cref="Qcow2OpenOptions.LeaveOpen"/> is set.</param>
    /// <param name="options">Who owns the file; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<HeaderDump> ReadAsync(HostFile file, Qcow2OpenOptions? options = null, CancellationToken cancellationToken = default) =>
        await ReadAsync(ImageSource.Of(file, options), async: true, cancellationToken).ConfigureAwait(false);

    /// <summary>The lines: one per field, then each extension with magic, length and data.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (HeaderDumpField field in _fields)
        {
            Append(text, field.Name, Text(field));
        }

        foreach (Qcow2HeaderExtension extension in _extensions)
        {
            text.Append("\nHeader extension:\n");
            Append(text, "magic", $"0x{extension.Type:x} ({HeaderExtensions.NameOf(extension.Type)})");
            Append(text, "length", extension.Data.Length.ToString(CultureInfo.InvariantCulture));
            Append(text, "data", TextOf(extension) is { } data ? $"'{data}'" : "<binary>");
        }

        return text.ToString();
    }

    /// <summary>
    /// Writes an object with a number per field (null if the file ends before it), for feature bits also their numbers and names, and
    /// an array of the extensions, whose data is text or, if it isn't text, null.
    /// </summary>
    /// <param name="output">Receives the JSON; left open.</param>
    public void WriteJson(Stream output)
    {
        ArgumentNullException.ThrowIfNull(output);
        using (Utf8JsonWriter json = new(output, JsonStyle.Options))
        {
            json.WriteStartObject();
            foreach (HeaderDumpField field in _fields)
            {
                WriteField(json, field);
            }

            json.WriteStartArray("extensions");
            foreach (Qcow2HeaderExtension extension in _extensions)
            {
                json.WriteStartObject();
                json.WriteNumber("magic", extension.Type);
                json.WriteString("name", HeaderExtensions.NameOf(extension.Type));
                json.WriteNumber("length", extension.Data.Length);
                json.WriteString("data", TextOf(extension));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }

    private static async ValueTask<HeaderDump> ReadAsync(HostFile file, bool async, CancellationToken cancellationToken)
    {
        using (file)
        {
            await file.ConnectAsync(async, cancellationToken).ConfigureAwait(false);
            byte[] start = new byte[Math.Min(MaxLength, file.GetLength())];
            int read = await file.ReadAtAsync(0, start, async, cancellationToken).ConfigureAwait(false);
            return Qcow2HeaderParser.HasMagic(start.AsSpan(0, read))
                ? new HeaderDump(start[..read])
                : throw NoMagic(file.Path, WhatItIs);
        }
    }

    /// <summary>What is wrong with a file that is no qcow2 image.</summary>
    /// <param name="path">The file.</param>
    /// <param name="hint">What says what it is; null if that is what is being done.</param>
    internal static Qcow2FormatException NoMagic(string? path, string? hint) => new(
        "the file does not start with the magic of qcow2, \"QFI\\xfb\"" + (hint is null ? "" : $" (what it is: {hint})"), path, hostOffset: 0)
    {
        Hint = hint,
    };

    private static void WriteField(Utf8JsonWriter json, HeaderDumpField field)
    {
        if (field.Value is { } value)
        {
            json.WriteNumber(field.Name, value);
        }
        else
        {
            json.WriteNull(field.Name);
        }

        if (field.Features is not { } bits)
        {
            return;
        }

        json.WriteStartArray(field.Name + "_set");
        foreach ((int bit, string? name) in bits)
        {
            json.WriteStartObject();
            json.WriteNumber("bit", bit);
            json.WriteString("name", name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Text(HeaderDumpField field) =>
        field.Value is not { } value ? "(the file ends before)"
        : field.Features is { } bits ? $"[{string.Join(", ", bits.Select(b => $"{b.Bit} {b.Name ?? "(unknown)"}"))}]"
        : field.IsHexadecimal ? $"0x{value:x}"
        : value.ToString(CultureInfo.InvariantCulture);

    private static string? TextOf(Qcow2HeaderExtension extension) =>
        extension.Data.Span.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? null : Encoding.ASCII.GetString(extension.Data.Span);

    private void ReadFields()
    {
        Field("magic", HeaderLayout.Magic, sizeof(uint), hexadecimal: true);
        Field("version", HeaderLayout.Version, sizeof(uint));
        Field("backing_file_offset", HeaderLayout.BackingFileOffset, sizeof(ulong), hexadecimal: true);
        Field("backing_file_size", HeaderLayout.BackingFileSize, sizeof(uint), hexadecimal: true);
        Field("cluster_bits", HeaderLayout.ClusterBits, sizeof(uint));
        Field("size", HeaderLayout.Size, sizeof(ulong));
        Field("crypt_method", HeaderLayout.CryptMethod, sizeof(uint));
        Field("l1_size", HeaderLayout.L1Size, sizeof(uint));
        Field("l1_table_offset", HeaderLayout.L1TableOffset, sizeof(ulong), hexadecimal: true);
        Field("refcount_table_offset", HeaderLayout.RefcountTableOffset, sizeof(ulong), hexadecimal: true);
        Field("refcount_table_clusters", HeaderLayout.RefcountTableClusters, sizeof(uint));
        Field("nb_snapshots", HeaderLayout.NbSnapshots, sizeof(uint));
        Field("snapshot_offset", HeaderLayout.SnapshotsOffset, sizeof(ulong), hexadecimal: true);
        if (Number(HeaderLayout.Version, sizeof(uint)) is not >= 3)
        {
            return;
        }

        Features("incompatible_features", HeaderLayout.IncompatibleFeatures, FeatureNames.Incompatible);
        Features("compatible_features", HeaderLayout.CompatibleFeatures, FeatureNames.Compatible);
        Features("autoclear_features", HeaderLayout.AutoclearFeatures, FeatureNames.Autoclear);
        Field("refcount_order", HeaderLayout.RefcountOrder, sizeof(uint));
        Field("header_length", HeaderLayout.HeaderLength, sizeof(uint));
        if (Number(HeaderLayout.HeaderLength, sizeof(uint)) > HeaderLayout.CompressionType)
        {
            Field("compression_type", HeaderLayout.CompressionType, sizeof(byte));
        }
    }

    private void Field(string name, int offset, int length, bool hexadecimal = false) =>
        _fields.Add(new HeaderDumpField { Name = name, HostOffset = offset, Value = Number(offset, length), IsHexadecimal = hexadecimal });

    private void Features(string name, int offset, byte type)
    {
        ulong? bits = Number(offset, sizeof(ulong));
        List<HeaderDumpFeature> names = [];
        for (ulong rest = bits ?? 0; rest != 0; rest &= rest - 1)
        {
            int bit = BitOperations.TrailingZeroCount(rest);
            names.Add(new HeaderDumpFeature(bit, FeatureNames.Find(type, bit, _extensions)));
        }

        _fields.Add(new HeaderDumpField { Name = name, HostOffset = offset, Value = bits, Features = names });
    }

    /// <summary>The extensions as far as they can be made out.</summary>
    private List<Qcow2HeaderExtension> ReadExtensions()
    {
        ulong clusterBits = Number(HeaderLayout.ClusterBits, sizeof(uint)) ?? 0;
        ulong backing = Number(HeaderLayout.BackingFileOffset, sizeof(ulong)) ?? 0;
        ulong length = Number(HeaderLayout.Version, sizeof(uint)) >= 3
            ? Number(HeaderLayout.HeaderLength, sizeof(uint)) ?? ulong.MaxValue
            : HeaderLayout.Version2Length;
        ulong end = Math.Min(backing == 0 ? ulong.MaxValue : backing, clusterBits <= Geometry.MaxClusterBits ? 1UL << (int)clusterBits : 0);
        end = Math.Min(end, (ulong)_start.Length);
        if (length >= end)
        {
            return [];
        }

        try
        {
            return HeaderExtensions.Parse(_start, (int)length, (int)end, Qcow2OpenOptions.Default.MaxHeaderExtensions, path: null) ?? [];
        }
        catch (Qcow2Exception)
        {
            // One that runs over its area, or too many: no list to be shown. Opening the image says which.
            return [];
        }
    }

    private ulong? Number(int offset, int length) => offset + length > _start.Length ? null : length switch
    {
        sizeof(byte) => _start[offset],
        sizeof(uint) => BinaryPrimitives.ReadUInt32BigEndian(_start.AsSpan(offset)),
        _ => BinaryPrimitives.ReadUInt64BigEndian(_start.AsSpan(offset)),
    };

    private static void Append(StringBuilder text, string name, string value) =>
        text.Append(CultureInfo.InvariantCulture, $"{name,NameColumn} {PrintableText.Escape(value)}\n");
}
