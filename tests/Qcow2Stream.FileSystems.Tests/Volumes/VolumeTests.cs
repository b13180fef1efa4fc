using System.Security.Cryptography;
using Qcow2Stream.FileSystems.Tests.Guests;

namespace Qcow2Stream.FileSystems.Tests.Volumes;

/// <summary>Volumes that Linux put together of parts (make-volumes.sh): each has the length and the bytes that Linux read from it.</summary>
public sealed class VolumeTests
{
    public static TheoryData<string> Lists => [.. Directory.GetFiles(GuestImages.Folder("volumes"), "*.txt")
        .Select(path => Path.GetFileNameWithoutExtension(path))
        .Order(StringComparer.Ordinal)];

    /// <summary>What Linux reads and this library doesn't, each with the reason that it gives.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["other/cached"] = "'cached' is of type 'cache', which is not handled",
        ["other/slow"] = "'slow' is of type 'writecache', which is not handled",
    };

    [Theory]
    [MemberData(nameof(Lists))]
    public void Volumes_HaveTheBytesThatLinuxReads(string name)
    {
        using Guest guest = GuestImages.OpenDisk(name);

        string[] read = [.. guest.Volumes.Where(volume => volume.Name is not null).Select(Line).Order(StringComparer.Ordinal)];

        string[] expected = [.. File.ReadAllLines(GuestImages.Folder($"volumes/{name}.txt"))
            .Select(line => Refused.TryGetValue(line.Split(' ')[0], out string? reason) ? $"{line.Split(' ')[0]}: {reason}" : line)];
        Assert.Equal<string>(expected, read.Where(line => !line.Contains(": ", StringComparison.Ordinal) || Refused.ContainsKey(line.Split(':')[0])));
    }

    public static TheoryData<string> Trees => [.. Directory.GetDirectories(GuestImages.Folder("volumes"))
        .SelectMany(folder => Directory.GetFiles(folder).Select(file => $"{Path.GetFileName(folder)}/{Path.GetFileNameWithoutExtension(file)}"))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Trees))]
    public void Files_AreThoseThatLinuxSees(string tree)
    {
        (string disk, string list) = (Path.GetDirectoryName(tree)!, Path.GetFileName(tree));
        List<string> expected = GuestTree.Expected(GuestImages.Folder($"volumes/{tree}.txt"));
        bool hasModes = expected.Any(line => line[2] != '-');
        string[] part = list.StartsWith("part", StringComparison.Ordinal) ? list["part".Length..].Split('-', 2) : [];
        using Guest guest = GuestImages.OpenDisk(disk, new GuestOptions { Subvolume = part.ElementAtOrDefault(1) ?? (list == "part3" ? "5" : null) });
        GuestVolume volume = guest.Volumes.Single(each => part.Length > 0 ? $"{each.Number}" == part[0] : each.Name?.Replace('/', '-') == list);
        using GuestFileSystem files = volume.OpenFileSystem();

        List<string> actual = GuestTree.Lines(files, hasModes, out List<string> faults);

        Assert.Empty(faults);
        Assert.Equal(expected, actual.Where(line => !GuestImages.IsMadeByTools(GuestTree.PathOf(line))));
    }

    private static string Line(GuestVolume volume)
    {
        try
        {
            using Stream stream = volume.OpenStream();
            return volume.Length == 0 ? $"{volume.Name}: {volume.Fault}" : $"{volume.Name} {volume.Length} {Convert.ToHexStringLower(SHA256.HashData(stream))}";
        }
        catch (GuestException e)
        {
            return $"{volume.Name}: {e.Message}";
        }
    }
}
