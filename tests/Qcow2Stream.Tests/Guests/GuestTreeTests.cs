using Qcow2Stream.Cli.Guest;
using GuestDisk = Qcow2Stream.Cli.Guest.GuestDisk;

namespace Qcow2Stream.Tests.Guests;

/// <summary>
/// File systems made by their own tools, in qcow2: every name, mode, link and byte is as the tree was that went in.
/// </summary>
public sealed class GuestTreeTests
{
    public static TheoryData<string> Trees => [.. Directory.GetFiles(GuestImages.Folder("trees"), "*.txt")
        .Select(path => Path.GetFileNameWithoutExtension(path))
        .Where(name => !GuestImages.NotShown.Contains(name))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Trees))]
    public void Tree_IsWhatWentIn(string name)
    {
        List<string> expected = GuestTree.Expected(GuestImages.Folder($"trees/{name}.txt"));
        bool hasModes = expected.Any(line => line[2] != '-');
        using GuestDisk disk = GuestImages.Open(name, out int? partition);
        using GuestFileSystem files = disk.Volumes.Single(v => partition is null || v.Partition.Number == partition).OpenFileSystem();

        List<string> actual = GuestTree.Lines(files, hasModes, out List<string> faults);

        actual.RemoveAll(line => GuestImages.IsMadeByTools(GuestTree.PathOf(line)));
        Assert.Empty(faults);
        string differences = string.Join(
            '\n', [.. expected.Except(actual).Select(line => "- " + line), .. actual.Except(expected).Select(line => "+ " + line)]);
        Assert.True(differences.Length == 0, differences);
        Assert.Equal(expected, actual);
    }
}
