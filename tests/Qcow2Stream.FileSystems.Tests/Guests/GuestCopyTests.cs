using System.Runtime.Versioning;
using Qcow2Stream.Tests.Infrastructure;
using Shared;

namespace Qcow2Stream.FileSystems.Tests.Guests;

public sealed class GuestCopyTests : IDisposable
{
    private readonly TempDirectory _scratch = new();
    private readonly List<string> _messages = [];
    private readonly GuestCopyOptions _options;

    public GuestCopyTests()
    {
        _options = new GuestCopyOptions { OnFault = fault => _messages.Add($"{fault.Path}: {fault.Message}") };
    }

    public void Dispose() => _scratch.Dispose();

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void Tree_IsTheSameOnTheHost()
    {
        using Guest disk = GuestImages.Open("ext4", out _);
        using GuestFileSystem files = disk.Volumes.Single().OpenFileSystem();

        GuestCopyResult result = files.Root.CopyTo(_scratch.File("out"), _options);

        List<string> expected = [.. GuestTree.Expected(GuestImages.Folder("trees/ext4.txt"))
            .Where(line => line[0] != 's')
            .Select(WithoutSpecialBits)];
        List<string> actual = [.. HostTree.Lines(_scratch.File("out")).Where(line => !GuestImages.IsMadeByTools(GuestTree.PathOf(line)))];
        Assert.Empty(_messages);
        Assert.Equal(expected, actual);
        Assert.Equal(2, result.SpecialFiles);
        Assert.Equal(expected.Where(line => line[0] == 'f').Sum(line => long.Parse(line.Split(' ')[2], null)), result.Bytes);
        Assert.Equal(expected.Count(line => line[0] == 'f'), result.Files);
        Assert.Equal(expected.Count(line => line[0] == 'l'), result.Links);

        // The root and lost+found are not in the list.
        Assert.Equal(expected.Count(line => line[0] == 'd') + 2, result.Directories);
        Assert.Equal(0, result.Faults);
        Assert.Equal(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), File.GetLastWriteTimeUtc(_scratch.File("out/etc/os-release")));
        Assert.Equal(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), Directory.GetLastWriteTimeUtc(_scratch.File("out/many")));
    }

    [LinuxFact]
    [UnsupportedOSPlatform("windows")]
    public void Zeros_BecomeHoles()
    {
        byte[] content = new byte[(3 << 20) + 5000];
        content[0] = 1;
        content[^1] = 2;
        Copy(new FakeEntry("sparse", GuestEntryKind.File) { Bytes = content }, "sparse");
        Assert.Equal(content, File.ReadAllBytes(_scratch.File("sparse")));
        Assert.InRange(HostTree.AllocatedBytes(_scratch.File("sparse")), 1, 64 << 10);
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("../escaped")]
    [InlineData("/escaped")]
    [InlineData("a/b")]
    [InlineData("nul\0")]
    public void NameThatIsNoComponent_IsRefused(string name)
    {
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.File(name, "bad"), FakeEntry.Directory(name, FakeEntry.File("x", "bad")), FakeEntry.File("good", "good"));
        Assert.True(Copy(root, "deep/out"));
        Assert.Equal(["good"], Names("deep/out"));
        Assert.Equal(["out", "out/good"], Names("deep"));
        Assert.Contains("can't be used on this system", string.Join('\n', _messages), StringComparison.Ordinal);
    }

    /// <summary>A link of the guest, then a directory of the same name: what is in it must not go where the link leads.</summary>
    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void DirectoryWithTheNameOfALink_IsNotEntered()
    {
        string outside = Directory.CreateDirectory(_scratch.File("outside")).FullName;
        FakeEntry root = FakeEntry.Directory(
            "root",
            FakeEntry.Link("a", outside),
            FakeEntry.Directory("a", FakeEntry.File("passwd", "bad")),
            FakeEntry.Link("b", outside + "/made"),
            FakeEntry.File("b", "bad"));
        Assert.True(Copy(root, "out"));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal(["a", "b"], Names("out"));
        Assert.Equal(outside, new FileInfo(_scratch.File("out/a")).LinkTarget);
    }

    [Fact]
    public void WhatExists_IsKept()
    {
        _scratch.Write("out/file", "old"u8);
        Assert.True(Copy(FakeEntry.Directory("root", FakeEntry.File("file", "new"), FakeEntry.File("other", "new")), "out"));
        Assert.Equal("old", File.ReadAllText(_scratch.File("out/file")));
        Assert.Equal("new", File.ReadAllText(_scratch.File("out/other")));
    }

    [Fact]
    public void FileThatEndsEarly_LeavesNothingBehind()
    {
        FakeEntry shorter = new("short", GuestEntryKind.File) { Bytes = [1, 2, 3], Declared = 5 };
        Assert.True(Copy(FakeEntry.Directory("root", shorter, FakeEntry.File("whole", "whole")), "out"));
        Assert.Equal(["whole"], Names("out"));
        Assert.Contains("/short: only 3 of 5 bytes can be read", string.Join('\n', _messages), StringComparison.Ordinal);
    }

    [Fact]
    public void DirectoryThatBreaksOff_GivesWhatCameBefore()
    {
        FakeEntry broken = new("broken", GuestEntryKind.Directory) { Fault = new GuestException("the directory is damaged") };
        broken.Entries.Add(FakeEntry.File("first", "1"));
        Assert.True(Copy(FakeEntry.Directory("root", broken, FakeEntry.File("z", "last")), "out"));
        Assert.Equal(["broken", "broken/first", "z"], Names("out"));
    }

    [Fact]
    public void DirectoryThatHoldsItself_EndsThere()
    {
        FakeEntry loop = new("loop", GuestEntryKind.Directory) { Id = 12 };
        loop.Entries.Add(FakeEntry.Directory("between", loop));
        Assert.True(Copy(FakeEntry.Directory("root", loop), "out"));
        Assert.Equal(["loop", "loop/between", "loop/between/loop"], Names("out"));
        Assert.Contains("the directory holds itself", string.Join('\n', _messages), StringComparison.Ordinal);
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void DirectoryWithoutWritePermission_IsFilled()
    {
        FakeEntry closed = new("closed", GuestEntryKind.Directory) { Permissions = UnixFileMode.UserRead | UnixFileMode.UserExecute };
        closed.Entries.Add(FakeEntry.File("inside", "1"));
        Assert.False(Copy(FakeEntry.Directory("root", closed), "out"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(_scratch.File("out/closed")));
        File.SetUnixFileMode(_scratch.File("out/closed"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void HostThatCannotBeWritten_EndsTheCopy()
    {
        // Nothing can be written to it: the error is the host's, and does not come again for each file.
        Assert.ThrowsAny<IOException>(() => new SparseWriter(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0))
            .Write([1]));
    }

    private static string WithoutSpecialBits(string line) => line[2] == '-' ? line : $"{line[0]} 0{line[3..]}";

    private bool Copy(GuestEntry entry, string destination)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch.File(destination))!);
        GuestCopyResult result = entry.CopyTo(_scratch.File(destination), _options);
        Assert.Equal(_messages.Count, result.Faults);
        return result.Faults > 0;
    }

    private string[] Names(string directory) => [.. Directory.GetFileSystemEntries(_scratch.File(directory), "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_scratch.File(directory), path).Replace('\\', '/'))
        .Order(StringComparer.Ordinal)];
}
