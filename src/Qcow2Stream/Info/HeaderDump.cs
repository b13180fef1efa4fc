using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using Qcow2Stream.Format;

namespace Qcow2Stream;

/// <summary>
/// The header of a qcow2 file as it stands there, right or wrong: its fields and its header extensions, each with the
/// names and in the form that QEMU's test script qcow2.py prints. Nothing is judged, so that it also shows what is
/// wrong with a file that does not open. Immutable.
/// </summary>
public sealed class HeaderDump
{
    private const int NameColumn = -25;
    private const int MaxLength = 1 << 21;

    private readonly StringBuilder _text = new();
    private readonly byte[] _start;
    private readonly List<Qcow2HeaderExtension> _extensions;

    private HeaderDump(byte[] start)
    {
        _start = start;
        _extensions = ReadExtensions();
    }

    /// <summary>Reads the header of a file, whatever state it is in.</summary>
    /// <param name="path">A regular file.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access.</exception>
    /// <exception cref="Qcow2FormatException">The file does not start with the magic of qcow2.</exception>
    public static HeaderDump Read(string path)
    {
        using HostFile file = HostFile.FromPath(path);
        return Read(file);
    }

    /// <inheritdoc cref="Read(string)"/>
    /// <param name="file">A file of any kind; it stays open.</param>
    public static HeaderDump Read(HostFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte[] start = new byte[Math.Min(MaxLength, file.GetLength())];
        int read = file.ReadAt(0, start);
        HeaderDump dump = new(start[..read]);
        if (!Qcow2Header.HasMagic(dump._start))
        {
            throw new Qcow2FormatException("the file does not start with the magic of qcow2, \"QFI\\xfb\"", file.Path, hostOffset: 0);
        }

        dump.AppendFields();
        dump.AppendExtensions();
        return dump;
    }

    /// <summary>The lines: a field each, then each extension with magic, length and data.</summary>
    public override string ToString() => _text.ToString();

    private void AppendFields()
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

    private void Field(string name, int offset, int length, bool hexadecimal = false)
    {
        string value = Number(offset, length) is not { } number ? "(the file ends before)"
            : hexadecimal ? $"0x{number:x}" : number.ToString(CultureInfo.InvariantCulture);
        Line(name, value);
    }

    private void Features(string name, int offset, byte type)
    {
        if (Number(offset, sizeof(ulong)) is not { } bits)
        {
            Line(name, "(the file ends before)");
            return;
        }

        List<string> names = [];
        for (ulong rest = bits; rest != 0; rest &= rest - 1)
        {
            int bit = BitOperations.TrailingZeroCount(rest);
            names.Add($"{bit} {FeatureNames.Find(type, bit, _extensions) ?? "(unknown)"}");
        }

        Line(name, $"[{string.Join(", ", names)}]");
    }

    private void AppendExtensions()
    {
        foreach (Qcow2HeaderExtension extension in _extensions)
        {
            _text.Append("\nHeader extension:\n");
            Line("magic", $"0x{extension.Type:x} ({HeaderExtensions.NameOf(extension.Type)})");
            Line("length", extension.Data.Length.ToString(CultureInfo.InvariantCulture));
            bool isText = !extension.Data.Span.ContainsAnyExceptInRange((byte)' ', (byte)'~');
            Line("data", isText ? $"'{Encoding.ASCII.GetString(extension.Data.Span)}'" : "<binary>");
        }
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

    private void Line(string name, string value) =>
        _text.Append(CultureInfo.InvariantCulture, $"{name,NameColumn} {PrintableText.Escape(value)}\n");
}
