using System.Runtime.Versioning;
using Qcow2Stream.Cli.Guest;
using Qcow2Stream.Cli.Guest.Copying;
using Qcow2Stream.Tests.Infrastructure;
using Shared;

using GuestDisk = Qcow2Stream.Cli.Guest.GuestDisk;

namespace Qcow2Stream.Tests.Guests;

public sealed class GuestCopyTests : IDisposable
{
    private readonly TempDirectory _scratch = new();
    private readonly StringWriter _messages = new();

    public void Dispose() => _scratch.Dispose();

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void Tree_IsTheSameOnTheHost()
    {
        using GuestDisk disk = GuestImages.Open("ext4", out _);
        using GuestFileSystem files = disk.Volumes.Single().OpenFileSystem();
        GuestFaults faults = new(_messages);
        long bytes = 0;
        GuestCopy copy = new(faults, count => bytes += count);

        copy.Copy(files.Root, "/", _scratch.File("out"));

        List<string> expected = [.. GuestTree.Expected(GuestImages.Folder("trees/ext4.txt"))
            .Where(line => line[0] != 's')
            .Select(WithoutSpecialBits)];
        List<string> actual = [.. HostTree.Lines(_scratch.File("out")).Where(line => !GuestImages.IsMadeByTools(GuestTree.PathOf(line)))];
        Assert.Equal("", _messages.ToString());
        Assert.Equal(expected, actual);
        Assert.Equal(2, copy.SpecialFiles);
        Assert.Equal(expected.Where(line => line[0] == 'f').Sum(line => long.Parse(line.Split(' ')[2], null)), bytes);
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
        Copy(new FakeEntry("sparse", GuestEntryKind.File) { Content = content }, "sparse");
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
        Assert.True(Copy(root, "deep/out").Any);
        Assert.Equal(["good"], Names("deep/out"));
        Assert.Equal(["out", "out/good"], Names("deep"));
        Assert.Contains("can't be used on this system", _messages.ToString(), StringComparison.Ordinal);
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
        Assert.True(Copy(root, "out").Any);
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal(["a", "b"], Names("out"));
        Assert.Equal(outside, new FileInfo(_scratch.File("out/a")).LinkTarget);
    }

    [Fact]
    public void WhatExists_IsKept()
    {
        _scratch.Write("out/file", "old"u8);
        Assert.True(Copy(FakeEntry.Directory("root", FakeEntry.File("file", "new"), FakeEntry.File("other", "new")), "out").Any);
        Assert.Equal("old", File.ReadAllText(_scratch.File("out/file")));
        Assert.Equal("new", File.ReadAllText(_scratch.File("out/other")));
    }

    [Fact]
    public void FileThatEndsEarly_LeavesNothingBehind()
    {
        FakeEntry shorter = new("short", GuestEntryKind.File) { Content = [1, 2, 3], Declared = 5 };
        Assert.True(Copy(FakeEntry.Directory("root", shorter, FakeEntry.File("whole", "whole")), "out").Any);
        Assert.Equal(["whole"], Names("out"));
        Assert.Contains("/short: only 3 of 5 bytes can be read", _messages.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void DirectoryThatBreaksOff_GivesWhatCameBefore()
    {
        FakeEntry broken = new("broken", GuestEntryKind.Directory) { Fault = new GuestException("the directory is damaged") };
        broken.Entries.Add(FakeEntry.File("first", "1"));
        Assert.True(Copy(FakeEntry.Directory("root", broken, FakeEntry.File("z", "last")), "out").Any);
        Assert.Equal(["broken", "broken/first", "z"], Names("out"));
    }

    [Fact]
    public void DirectoryThatHoldsItself_EndsThere()
    {
        FakeEntry loop = new("loop", GuestEntryKind.Directory) { Id = 12 };
        loop.Entries.Add(FakeEntry.Directory("between", loop));
        Assert.True(Copy(FakeEntry.Directory("root", loop), "out").Any);
        Assert.Equal(["loop", "loop/between", "loop/between/loop"], Names("out"));
        Assert.Contains("the directory holds itself", _messages.ToString(), StringComparison.Ordinal);
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void DirectoryWithoutWritePermission_IsFilled()
    {
        FakeEntry closed = new("closed", GuestEntryKind.Directory) { Permissions = UnixFileMode.UserRead | UnixFileMode.UserExecute };
        closed.Entries.Add(FakeEntry.File("inside", "1"));
        Assert.False(Copy(FakeEntry.Directory("root", closed), "out").Any);
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

    private GuestFaults Copy(GuestEntry entry, string destination)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch.File(destination))!);
        GuestFaults faults = new(_messages);
        new GuestCopy(faults, _ => { }).Copy(entry, "/", _scratch.File(destination));
        return faults;
    }

    private string[] Names(string directory) => [.. Directory.GetFileSystemEntries(_scratch.File(directory), "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_scratch.File(directory), path).Replace('\\', '/'))
        .Order(StringComparer.Ordinal)];
}
