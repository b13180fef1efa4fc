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

    /// <summary>A host that takes no more ends the copy with the name of what did not fit, and no half of it stays.</summary>
    [Fact]
    public void PlaceThatIsFull_IsToldWithTheFile()
    {
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.Directory("etc", FakeEntry.File("a", "12"), FakeEntry.File("b", "12345678"), FakeEntry.File("c", "1")));
        using FullDirectory full = new(_scratch.Path, room: 4);
        TreeCopy copy = new(GuestCopyOptions.Default, CopyProgress.Of(root, progress: null, cancellationToken: default), cancellationToken: default);
        IOException error = Assert.Throws<IOException>(() => copy.Copy(root, full, HostEntryName.OfHost("out")));
        Assert.Equal("/etc/b can't be written: No space left on device", error.Message);
        Assert.Equal([_scratch.File("out/etc/a")], Directory.GetFiles(_scratch.File("out/etc")));
    }

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
