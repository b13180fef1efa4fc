using System.Buffers;
using System.Globalization;
using System.Text;
using Shared;

namespace Qcow2Stream.Layers.Vmdk;

/// <summary>
/// What the text of a VMDK says of its disk ("Virtual Disk Format", the descriptor file). Of several lines of one key the first counts, and a byte of zero
/// ends the text, as for QEMU. Its bytes are kept as characters, so that names can be of any encoding.
/// </summary>
internal sealed class VmdkDescriptor
{
    private const string CreateType = "createType";
    private const string OwnId = "CID";
    private const string ParentId = "parentCID";
    private const string ParentHint = "parentFileNameHint";
    private const uint NoParent = uint.MaxValue;
    private const char Comment = '#';
    private const char Quote = '"';

    // QEMU reads no more, and takes what it has for all.
    private const int MaxLength = (1 << 20) - 1;

    // All are open at once. A disk of 2 TiB in parts of 2 GiB has 1024.
    private const int MaxExtents = 4096;

    private static readonly string[] OwnKinds = ["monolithicSparse", "streamOptimized"];

    private static readonly string[] OtherKinds =
    [
        "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "vmfs", "vmfsSparse", "seSparse", "vmfsRaw", "vmfsRawDeviceMap",
        "vmfsPassthroughRawDeviceMap", "fullDevice", "partitionedDevice", "custom",
    ];

    private readonly HostFile _file;
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<ExtentLine> _extents = [];

    private VmdkDescriptor(HostFile file) => _file = file;

    /// <summary>What ends a line, or a word, for some readers and not for others.</summary>
    private static SearchValues<char> Controls { get; } = SearchValues.Create("\r\v\f");

    /// <summary>What separates words.</summary>
    public static SearchValues<char> Blanks { get; } = SearchValues.Create(" \t");

    /// <summary>The extents, in their order on the disk; one or more.</summary>
    public IReadOnlyList<ExtentLine> Extents => _extents;

    /// <summary>What kind of disk it says it is, by the specification's word, one of those known here.</summary>
    public string Kind { get; private set; } = "";

    /// <summary>Whether the file of the descriptor is the extent, whatever name the descriptor has for it.</summary>
    public bool IsOwnExtent => OwnKinds.Contains(Kind, StringComparer.Ordinal);

    /// <summary>Changes with the content of the disk.</summary>
    public uint ContentId { get; private set; }

    /// <summary>The <see cref="ContentId"/> of the parent as it was when this image was made; all ones if there is none.</summary>
    public uint ParentContentId { get; private set; }

    /// <summary>The bytes of the parent's name; empty if there is none.</summary>
    public ReadOnlyMemory<byte> ParentName { get; private set; }

    /// <summary>Reads a descriptor.</summary>
    /// <param name="file">The file that it is in.</param>
    /// <param name="place">Where, in bytes.</param>
    /// <param name="length">How long it is at most, in bytes.</param>
    /// <exception cref="Qcow2FormatException">It contradicts itself or the format, or is too long.</exception>
    /// <exception cref="Qcow2UnsupportedException">The disk is of a kind that isn't known.</exception>
    public static VmdkDescriptor Read(HostFile file, long place, long length)
    {
        byte[] bytes = new byte[Math.Min(length, MaxLength + 1)];
        ReadOnlySpan<byte> text = bytes.AsSpan(0, file.ReadAt(place, bytes));
        int end = text.IndexOf((byte)0);
        if (end < 0 && text.Length > MaxLength)
        {
            throw new Qcow2FormatException($"the descriptor has {length} bytes or more; {MaxLength} are the most", file.Path, hostOffset: place);
        }

        VmdkDescriptor descriptor = new(file);
        descriptor.Add(Encoding.Latin1.GetString(end < 0 ? text : text[..end]));
        descriptor.Judge();
        return descriptor;
    }

    private void Add(string text)
    {
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            ReadOnlySpan<char> part = text.AsSpan()[range];
            ReadOnlySpan<char> line = (part.EndsWith("\r") ? part[..^1] : part).Trim(" \t");
            if (line.IsEmpty || line[0] == Comment)
            {
                continue;
            }

            if (line.ContainsAny(Controls))
            {
                throw Bad($"the descriptor has a line with a control character in it: '{Escaped(line)}'");
            }

            if (ExtentLine.IsLine(line))
            {
                Add(ExtentLine.Parse(line.ToString()) ?? throw Bad($"the line of an extent isn't one: '{Escaped(line)}'"));
            }
            else if (line.IndexOf('=') is var equals and > 0)
            {
                _values.TryAdd(line[..equals].TrimEnd(" \t").ToString(), line[(equals + 1)..].TrimStart(" \t").ToString());
            }
        }
    }

    private void Add(ExtentLine extent)
    {
        if (extent.Sectors == 0)
        {
            return;
        }

        if (_extents.Count == MaxExtents)
        {
            throw new Qcow2UnsupportedException(
                "many parts", $"the image names more files than the {MaxExtents} that are opened", _file.Path);
        }

        _extents.Add(extent);
    }

    private void Judge()
    {
        Kind = Value(CreateType);
        if (!IsOwnExtent && !OtherKinds.Contains(Kind, StringComparer.Ordinal))
        {
            throw new Qcow2UnsupportedException(
                "disk type in format vmdk", $"the image says that its disk is of type '{Escaped(Kind)}', which is not handled", _file.Path);
        }

        ContentId = Number(OwnId);
        ParentContentId = Number(ParentId);
        ParentName = Encoding.Latin1.GetBytes(_values.ContainsKey(ParentHint) ? Value(ParentHint) : "");
        JudgeExtents();
        JudgeParent();
    }

    private void JudgeParent()
    {
        bool hasParent = ParentContentId != NoParent;
        if (hasParent && ParentName.IsEmpty)
        {
            throw Bad($"the image has a parent ({ParentId}={ParentContentId:x8}), and does not name it ({ParentHint})");
        }

        if (hasParent || ParentName.IsEmpty)
        {
            return;
        }

        // For some readers it has a parent then, and for others none: which makes no difference where nothing is left to it.
        if (_extents.Exists(e => e.IsSparse))
        {
            throw Bad($"the image names a parent ({ParentHint}), and says that it has none ({ParentId}={ParentContentId:x8})");
        }

        ParentName = default;
    }

    private void JudgeExtents()
    {
        if (_extents.Count == 0 || (IsOwnExtent && _extents.Count != 1))
        {
            throw Bad(IsOwnExtent
                ? $"the file is to be its own and only extent, and the descriptor has {_extents.Count} extents"
                : "the descriptor has no extent");
        }

        long left = ExtentLine.MaxSectors;
        foreach (ExtentLine extent in _extents)
        {
            if (extent.Sectors > left)
            {
                throw Bad("the extents have more sectors than a disk can have");
            }

            left -= extent.Sectors;
            if (!extent.IsHandled)
            {
                throw new Qcow2UnsupportedException(
                    "extent type in format vmdk", $"an extent is of type '{extent.Access} {extent.Type}', which is not handled", _file.Path);
            }

            if (extent.IsSparse && extent.Offset != 0)
            {
                throw Bad($"a sparse extent starts at sector {extent.Offset} of its file, which only flat ones can");
            }

            if (!extent.IsZero && extent.Name.Length == 0)
            {
                throw Bad("an extent has no name");
            }
        }
    }

    private uint Number(string key)
    {
        string text = Value(key);
        return uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint number)
            ? number
            : throw Bad($"the descriptor's {key} is no number: '{Escaped(text)}'");
    }

    /// <summary>What is between quotes, or all if there are none.</summary>
    private string Value(string key)
    {
        if (!_values.TryGetValue(key, out string? value))
        {
            throw Bad($"the descriptor has no {key}");
        }

        if (!value.StartsWith(Quote))
        {
            return value;
        }

        int end = value.IndexOf(Quote, 1);
        return end > 0 ? value[1..end] : throw Bad($"the descriptor leaves a quote open in {key}");
    }

    private Qcow2FormatException Bad(string problem) => new(problem, _file.Path);

    /// <summary>What an image says, for a message: not more of it than fits there.</summary>
    private static string Escaped(ReadOnlySpan<char> text)
    {
        const int Most = 80;
        byte[] start = Encoding.Latin1.GetBytes(text[..Math.Min(text.Length, Most)].ToString());
        return PrintableText.Escape(Encoding.UTF8.GetString(start)) + (text.Length > Most ? "..." : "");
    }
}
