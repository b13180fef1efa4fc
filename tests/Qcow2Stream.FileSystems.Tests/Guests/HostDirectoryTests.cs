using System.Runtime.Versioning;
using Qcow2Stream.FileSystems.Copying;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.FileSystems.Tests.Guests;

/// <summary>Where a copy goes is where the system says that a path leads.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class HostDirectoryTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public HostDirectoryTests()
    {
        foreach (string directory in (string[])["real/deep/dir", "real/deep/x", "x"])
        {
            Directory.CreateDirectory(_scratch.File(directory));
        }

        Directory.CreateSymbolicLink(_scratch.File("jump"), "real/deep/dir");
        Directory.CreateSymbolicLink(_scratch.File("real/deep/dir/link"), "../x");
        File.CreateSymbolicLink(_scratch.File("dangling"), _scratch.File("nothing"));
    }

    public void Dispose() => _scratch.Dispose();

    /// <summary>A link is followed by what it says of itself, not by letters; so is what comes before dots.</summary>
    [LinuxTheory]
    [InlineData("jump/link/", "real/deep/x/a")]
    [InlineData("jump/../", "real/deep/a")]
    [InlineData("jump/..", "real/deep/a")]
    [InlineData("jump/../new", "real/deep/new/a")]
    [InlineData("jump/new/", "real/deep/dir/new/a")]
    [InlineData("x/.", "x/a")]
    public void Copy_GoesWhereThePathLeads(string destination, string made)
    {
        FakeEntry.Directory("root", FakeEntry.File("a", "1")).CopyTo(_scratch.Path + "/" + destination);
        Assert.Equal("1", File.ReadAllText(_scratch.File(made)));
    }

    [LinuxTheory]
    [InlineData("jump", false)]
    [InlineData("dangling", false)]
    [InlineData("dangling/", false)]
    [InlineData("dangling/", true)]
    [InlineData("jump/", true)]
    public void Link_IsNeverWhatIsMade(string destination, bool isFile)
    {
        FakeEntry entry = isFile ? FakeEntry.File("a", "1") : FakeEntry.Directory("root", FakeEntry.File("a", "1"));
        string[] before = Directory.GetFileSystemEntries(_scratch.Path, "*", SearchOption.AllDirectories);
        Assert.ThrowsAny<IOException>(() => entry.CopyTo(_scratch.Path + "/" + destination));
        Assert.Equal(before, Directory.GetFileSystemEntries(_scratch.Path, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("name", ".", "name")]
    [InlineData("a/name", "a", "name")]
    [InlineData("/name", "/", "name")]
    [InlineData("..", "..", ".")]
    [InlineData("a/..", "a/..", ".")]
    public void Path_IsSplitByTheSystemsRules(string path, string directory, string name) => Assert.Equal((directory, name), HostDirectory.Split(path));
}
