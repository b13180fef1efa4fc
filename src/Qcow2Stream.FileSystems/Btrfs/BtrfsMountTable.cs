using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Qcow2Stream.FileSystems.Entries;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>What the guest mounts, as its /etc/fstab says (fstab(5)): the lines that mean one file system.</summary>
internal static partial class BtrfsMountTable
{
    private const string Path = "/etc/fstab";
    private const int MostBytes = 64 << 10;

    // Of bytes, no others are blanks: some letters of UTF-8 end with what text takes for one.
    private static readonly char[] Blanks = [' ', '\t', '\r'];

    /// <summary>The lines in the table of a subvolume; null if it has none.</summary>
    /// <exception cref="GuestException">It can't be read.</exception>
    public static IReadOnlyList<BtrfsMountLine>? Of(BtrfsMount mount)
    {
        if (PathSearch.Find(mount.Root, Path, CancellationToken.None) is not { Kind: GuestEntryKind.File } file)
        {
            return null;
        }

        byte[] bytes = new byte[Math.Min(file.Length, MostBytes)];
        BlockSource.ReadExactly(file.Content(), 0, bytes);
        BtrfsMountLine[] lines = [.. Encoding.Latin1.GetString(bytes).Split('\n').Select(Parse).OfType<BtrfsMountLine>()];

        // The table is on the file system that is the root. Where that is named in a way that says nothing, other names mean others.
        string? root = lines.Where(line => line.IsRoot).Select(line => line.Device).FirstOrDefault();
        bool isRootKnown = root is null || IsOf(root, mount.Volume) is not null;
        return [.. lines.Where(line => IsOf(line.Device, mount.Volume) ?? (isRootKnown || line.Device == root))];
    }

    private static BtrfsMountLine? Parse(string line)
    {
        string[] fields = line.Split(Blanks, StringSplitOptions.RemoveEmptyEntries);
        if (line.TrimStart(Blanks).StartsWith('#') || fields is not [var what, var directory, "btrfs" or "auto", ..])
        {
            return null;
        }

        string[] options = fields.Length > 3 ? Plain(fields[3]).Split(',') : [];
        return new BtrfsMountLine(
            Text(Plain(directory)),
            Plain(what),
            ValueOf(options, "subvol=") is { } path ? Text(path) : null,
            ulong.TryParse(ValueOf(options, "subvolid="), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) ? number : null);
    }

    private static string? ValueOf(string[] options, string name) =>
        options.LastOrDefault(option => option.StartsWith(name, StringComparison.Ordinal))?[name.Length..];

    /// <summary>Whether a device is of the file system; null for one that is named in a way that says nothing of that.</summary>
    private static bool? IsOf(string device, BtrfsVolume volume)
    {
        string value = device[(device.IndexOf('=') + 1)..].Trim('"');
        return device.StartsWith("UUID=", StringComparison.OrdinalIgnoreCase)
            ? Guid.TryParse(value, out Guid uuid) && uuid == new Guid(volume.Superblock.FileSystem, bigEndian: true)
            : device.StartsWith("LABEL=", StringComparison.OrdinalIgnoreCase) ? Text(value) == volume.Superblock.Label
            : null;
    }

    /// <summary>The table is read byte by byte, for its names needn't be text.</summary>
    private static string Text(string bytes) => GuestText.FromBytes(Encoding.Latin1.GetBytes(bytes));

    /// <summary>Blanks in names are written as numbers, and any other byte may be.</summary>
    private static string Plain(string field) => Octal().Replace(field, match => ((char)(byte)Convert.ToInt32(match.Groups[1].Value, 8)).ToString());

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
