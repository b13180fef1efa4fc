using System.Globalization;
using System.Text;
using Shared;

namespace Qcow2Stream.Layers.Foreign;

/// <summary>
/// What the text of a VMDK says of its disk ("Virtual Disk Format", the descriptor file), read as DiscUtils reads it: of several lines of one key, it takes the
/// first, as QEMU does; but a byte of zero ends a line for it, and all of the text for QEMU.
/// </summary>
internal sealed class VmdkDescriptor
{
    private const string FirstLine = "# Disk DescriptorFile";
    private const string CreateType = "createType";
    private const string ParentId = "parentCID";
    private const string ParentName = "parentFileNameHint";
    private const string Extension = ".vmdk";

    // DiscUtils reads no more of it.
    private const int MaxLength = 20 << 10;

    private static readonly string[] OwnKinds = ["monolithicSparse", "streamOptimized"];

    private readonly HostFile _file;
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<VmdkExtent> _extents = [];
    private bool _hasFirstLine;
    private bool _isRefused;
    private bool _hasExtentBehind;

    private VmdkDescriptor(HostFile file) => _file = file;

    /// <summary>The extents, in their order on the disk.</summary>
    public IReadOnlyList<VmdkExtent> Extents => _extents;

    /// <summary>Whether the file of the descriptor is the extent, whatever name the descriptor has for it.</summary>
    public bool IsOwnExtent => _values.TryGetValue(CreateType, out string? kind) && OwnKinds.Contains(kind, StringComparer.Ordinal);

    /// <summary>Reads the descriptor of a file that DiscUtils is going to open as an image.</summary>
    /// <returns>Null where DiscUtils refuses the descriptor, and says why.</returns>
    /// <exception cref="Qcow2FormatException">It contradicts itself or the format, or QEMU would read something else.</exception>
    /// <exception cref="Qcow2UnsupportedException">DiscUtils would not take the parent for a VMDK.</exception>
    public static VmdkDescriptor? Read(HostFile file)
    {
        (long place, long length) = VmdkTables.DescriptorOf(file);
        byte[] bytes = new byte[Math.Min(length, MaxLength)];
        string text = Encoding.UTF8.GetString(bytes, 0, file.ReadAt(place, bytes));
        int end = text.IndexOf('\0', StringComparison.Ordinal);
        VmdkDescriptor descriptor = new(file);
        descriptor.Add(end < 0 ? text : text[..end]);
        HashSet<string> keys = [.. descriptor._values.Keys];
        if (end >= 0)
        {
            int before = descriptor._extents.Count;
            descriptor.Add(text[end..]);
            descriptor._hasExtentBehind = descriptor._extents.Count > before;
        }

        if (!descriptor._hasFirstLine || descriptor._isRefused)
        {
            return null;
        }

        descriptor.CheckEnd(keys);
        descriptor.CheckParent();
        descriptor.CheckExtents();
        return descriptor;
    }

    private void Add(string text)
    {
        foreach (string part in text.Split('\r', '\n', '\0'))
        {
            string line = part.Trim();
            if (line.StartsWith(FirstLine, StringComparison.OrdinalIgnoreCase))
            {
                _hasFirstLine = true;
            }
            else if (!VmdkExtent.IsLine(line))
            {
                string[] words = line.Split('=');
                string value = words.Length > 1 ? words[1].Trim() : "";
                _values.TryAdd(words[0].Trim(), value.StartsWith('"') ? value.Trim('"') : value);
            }
            else if (VmdkExtent.Parse(line) is { } extent)
            {
                _extents.Add(extent);
            }
            else
            {
                _isRefused = true;
            }
        }
    }

    private void CheckEnd(HashSet<string> keysBefore)
    {
        string? behind = _hasExtentBehind ? "an extent"
            : Array.Find([CreateType, ParentId, ParentName], key => _values.ContainsKey(key) && !keysBefore.Contains(key));
        if (behind is not null)
        {
            throw new Qcow2FormatException($"{behind} is first told behind the end of the descriptor, which is a byte of zero", _file.Path);
        }
    }

    /// <summary>DiscUtils opens a parent as what its name says: in another format it would not be judged.</summary>
    private void CheckParent()
    {
        if (!_values.TryGetValue(ParentId, out string? id))
        {
            throw new Qcow2FormatException($"the descriptor has no {ParentId}", _file.Path);
        }

        if (!uint.TryParse(id, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out uint number) || number == uint.MaxValue)
        {
            // No number is refused by DiscUtils.
            return;
        }

        string name = _values.GetValueOrDefault(ParentName, "").Replace('\\', Path.DirectorySeparatorChar);
        if (name.Length == 0)
        {
            throw new Qcow2FormatException(
                $"the image has a parent ({ParentId}={PrintableText.Escape(id)}), and does not name it ({ParentName})", _file.Path);
        }

        if (!Path.GetExtension(name).Equals(Extension, StringComparison.OrdinalIgnoreCase))
        {
            throw new Qcow2UnsupportedException(
                "parent of another name", $"the parent is '{PrintableText.Escape(name)}', whose name does not end in {Extension}: such are not handled", _file.Path);
        }
    }

    private void CheckExtents()
    {
        if (IsOwnExtent && _extents.Count != 1)
        {
            throw new Qcow2FormatException($"the file is to be its own and only extent, and the descriptor has {_extents.Count} extents", _file.Path);
        }

        long left = VmdkExtent.MaxSectors;
        foreach (VmdkExtent extent in _extents)
        {
            if (extent.Sectors > left)
            {
                throw new Qcow2FormatException("the extents have more sectors than a disk can have", _file.Path);
            }

            left -= extent.Sectors;
            if (extent.IsSparse && extent.Offset != 0)
            {
                throw new Qcow2FormatException($"a sparse extent starts at sector {extent.Offset} of its file, which only flat ones can", _file.Path);
            }

            if (!extent.IsZero && extent.Name.Length == 0)
            {
                throw new Qcow2FormatException("an extent has no name", _file.Path);
            }
        }
    }
}
