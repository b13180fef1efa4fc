namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>
/// File systems made by their own tools, in qcow2: every name, mode, link and byte is as the tree was that went in.
/// </summary>
public sealed class GuestTreeTests
{
    public static TheoryData<string> Trees => [.. Directory.GetFiles(GuestImages.Folder("trees"), "*.txt")
        .Select(path => Path.GetFileNameWithoutExtension(path))
        .Where(name => !GuestImages.NotShown.Contains(name))
        .Order(StringComparer.Ordinal)];

    /// <summary>What DiscUtils can't read, each with the message for the user; the paths are then missing from the tree.</summary>
    private static readonly Dictionary<string, string[]> Gaps = new()
    {
        ["hfsplus"] =
        [
            "/special/first-name: it is a hard link of HFS+, which is not handled",
            "/special/second-name: it is a hard link of HFS+, which is not handled",
        ],
        ["udf"] =
        [
            "/many: its reader failed (InvalidDataException: Corrupt compressed unicode string)",
            "/sizes/sparse: it has holes, which are not handled on UDF",
            "/special/null: its reader failed (ArgumentOutOfRangeException: Specified argument was out of the range of valid values.)",
        ],
    };

    [Theory]
    [MemberData(nameof(Trees))]
    public void Tree_IsWhatWentIn(string name)
    {
        List<string> expected = GuestTree.Expected(GuestImages.Folder($"trees/{name}.txt"));

        // DiscUtils takes the modes of HFS+ from the wrong bytes, and does not give those of UDF: there, none are shown.
        bool hasModes = name is not ("hfsplus" or "udf") && expected.Any(line => line[2] != '-');
        expected = hasModes ? expected : [.. expected.Select(GuestTree.WithoutMode)];
        if (name == "hfsplus")
        {
            // Nor does it distinguish these from empty files.
            expected = [.. expected.Select(line => line.StartsWith("s ", StringComparison.Ordinal) ? GuestTree.AsEmptyFile(line) : line)];
        }
        using Guest disk = GuestImages.Open(name, out int? partition);
        using GuestFileSystem files = GuestImages.VolumeOf(disk, name, partition).OpenFileSystem();

        List<string> actual = GuestTree.Lines(files, hasModes, out List<string> faults);

        actual.RemoveAll(line => GuestImages.IsMadeByTools(GuestTree.PathOf(line)));
        Assert.Equal(Gaps.GetValueOrDefault(name, []), faults);
        string[] missing = [.. faults.Select(fault => fault[..fault.IndexOf(": ", StringComparison.Ordinal)])];
        expected.RemoveAll(line => missing.Any(path => GuestTree.PathOf(line) == path || GuestTree.PathOf(line).StartsWith(path + "/", StringComparison.Ordinal)));
        actual.RemoveAll(line => missing.Contains(GuestTree.PathOf(line)));
        string differences = string.Join(
            '\n', [.. expected.Except(actual).Select(line => "- " + line), .. actual.Except(expected).Select(line => "+ " + line)]);
        Assert.True(differences.Length == 0, differences);
        Assert.Equal(expected, actual);
    }

    /// <summary>All files were given one time; one of them changed seconds later; FAT keeps times in the zone of the maker.</summary>
    [Theory]
    [MemberData(nameof(Trees))]
    public void Times_AreThoseThatWentIn(string name)
    {
        using Guest disk = GuestImages.Open(name, out int? partition);
        using GuestFileSystem files = GuestImages.VolumeOf(disk, name, partition).OpenFileSystem();
        DateTime[] times = [.. files.Root.EnumerateTree(_ => { })
            .Where(below => below.Entry.Kind == GuestEntryKind.File && below.Path.EndsWith("os-release", StringComparison.Ordinal))
            .Select(below => below.Entry.ModifiedUtc)
            .Distinct()];
        Assert.All(times, time => Assert.Equal(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), time, Tolerance(files.Kind)));
    }

    private static TimeSpan Tolerance(string kind) => kind.StartsWith("FAT", StringComparison.Ordinal) ? TimeSpan.FromHours(14) : TimeSpan.FromMinutes(1);
}
