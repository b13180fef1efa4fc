using System.Security.Cryptography;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>A file system of the guest as lines of text, in the form of trees/NAME.txt, which tree.sh beside it explains.</summary>
internal static class GuestTree
{
    /// <summary>Everything in a file system, sorted; what could not be read is in <paramref name="faults"/>.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="hasModes">Whether the form has modes.</param>
    /// <param name="faults">Paths, each with what is wrong there.</param>
    public static List<string> Lines(GuestFileSystem files, bool hasModes, out List<string> faults)
    {
        List<string> found = [];
        List<string> lines = [];
        foreach ((string path, GuestEntry entry) in files.Root.EnumerateTree(fault => found.Add($"{fault.Path}: {fault.Message}")))
        {
            try
            {
                lines.Add(Line(path.Replace("\n", "%0A", StringComparison.Ordinal), entry, hasModes));
            }
            catch (GuestException e)
            {
                found.Add($"{path}: {e.Message}");
            }
        }

        faults = found;
        return Sorted(lines);
    }

    /// <summary>The lines of a list, in the form of <see cref="Lines"/>: one kind for what has no content.</summary>
    public static List<string> Expected(string path) => Sorted(File.ReadLines(path).Select(line =>
    {
        string[] columns = line.Split(' ', 6);
        return columns[0] is "p" or "c" or "b" ? $"s {columns[1]} - - - {columns[5]}"
            : columns[0] == "l" ? $"l - - - {(Path.GetFileName(path).StartsWith("ntfs", StringComparison.Ordinal) ? OfWindows(columns[4]) : columns[4])} {columns[5]}"
            : line;
    }));

    public static string WithoutMode(string line) => line[2] == '-' ? line : $"{line[0]} - {line[7..]}";

    public static string AsEmptyFile(string line) => $"f - 0 {Convert.ToHexStringLower(SHA256.HashData([]))} - {PathOf(line)}";

    public static string PathOf(string line) => line.Split(' ', 6)[5];

    public static string Sha256(GuestEntry file)
    {
        using SHA256 hash = SHA256.Create();
        using (CryptoStream target = new(Stream.Null, hash, CryptoStreamMode.Write))
        {
            file.CopyContentTo(target);
        }

        return Convert.ToHexStringLower(hash.Hash!);
    }

    /// <summary>The target of a link of Windows is shown as a path of the guest.</summary>
    private static string OfWindows(string target) =>
        (target.StartsWith("C:", StringComparison.Ordinal) ? target[2..] : target).Replace('\\', '/');

    private static string Line(string path, GuestEntry entry, bool hasModes) => entry.Kind switch
    {
        GuestEntryKind.Link => $"l - - - {entry.LinkTarget.Replace("%", "%25", StringComparison.Ordinal).Replace(" ", "%20", StringComparison.Ordinal)} {path}",
        GuestEntryKind.Directory => $"d {Mode(entry, hasModes)} - - - {path}",
        GuestEntryKind.File => $"f {Mode(entry, hasModes)} {entry.Length} {Sha256(entry)} - {path}",
        _ => $"s {Mode(entry, hasModes)} - - - {path}",
    };

    private static string Mode(GuestEntry entry, bool hasModes) =>
        !hasModes || entry.UnixMode is not { } mode ? "-" : Convert.ToString((int)mode.Permissions, 8).PadLeft(4, '0');

    private static List<string> Sorted(IEnumerable<string> lines) => [.. lines.OrderBy(PathOf, StringComparer.Ordinal)];
}
