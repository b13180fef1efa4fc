using System.Diagnostics;
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

    /// <summary>A first copy brought a link along, and a second one goes where it lies: DEST/home is a link to a directory outside.</summary>
    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void LinkOfAnEarlierCopy_IsNotFollowed()
    {
        string outside = Directory.CreateDirectory(_scratch.File("outside")).FullName;
        Assert.False(Copy(FakeEntry.Directory("etc", FakeEntry.Link("home", outside), FakeEntry.Link("file", outside + "/made")), "out"));
        Assert.True(Copy(FakeEntry.Directory("home", FakeEntry.File("authorized_keys", "bad")), "out/home"));
        Assert.True(Copy(FakeEntry.File("home", "bad"), "out/home"));
        Assert.True(Copy(FakeEntry.File("file", "bad"), "out/file"));
        Assert.True(Copy(FakeEntry.Link("file", "bad"), "out/file"));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal(outside, new FileInfo(_scratch.File("out/home")).LinkTarget);
        Assert.All(_messages, message => Assert.EndsWith("already exists", message, StringComparison.Ordinal));
    }

    /// <summary>Who adds a slash says that the link is a directory.</summary>
    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void LinkThatTheUserNames_IsFollowedWithASlash()
    {
        string real = Directory.CreateDirectory(_scratch.File("real")).FullName;
        Directory.CreateSymbolicLink(_scratch.File("link"), real);
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.File("a", "1"));
        Assert.True(Copy(root, "link"));
        Assert.Empty(Directory.GetFileSystemEntries(real));
        _messages.Clear();
        Assert.False(Copy(root, "link/"));
        Assert.False(Copy(FakeEntry.Directory("root", FakeEntry.File("b", "1")), "link/new"));
        Assert.Equal(["a", "new", "new/b"], Names("real"));
    }

    /// <summary>Deeper than a path can be, and than handles can be had; on the way back every directory is found again.</summary>
    [LinuxFact]
    [UnsupportedOSPlatform("windows")]
    public void DeepTree_IsCopiedAndFinished()
    {
        const int Depth = 1500;
        FakeEntry tree = Level(FakeEntry.File("end", "deep"));
        for (int i = 0; i < Depth; i++)
        {
            tree = Level(tree, FakeEntry.File("z", $"{i}"));
        }

        Assert.False(Copy(tree, "out"));
        Assert.Empty(OpenHandles.Under(_scratch.Path));
        DirectoryInfo directory = new(_scratch.File("out"));
        Assert.Equal(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), directory.LastWriteTimeUtc);
        Assert.Equal($"{Depth - 1}", File.ReadAllText(_scratch.File("out/z")));

        // No path leads to the end: the shell goes there step by step.
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", "while [ -d d ]; do cd -P d; done; cat end"])
        {
            WorkingDirectory = _scratch.File("out"),
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("deep", shell.StandardOutput.ReadToEnd());
        shell.WaitForExit();
        using Process remove = Process.Start("rm", ["-rf", _scratch.File("out")]);
        remove.WaitForExit();
    }

    /// <summary>A tebibyte of nothing is a hole at once: it isn't read, and not written.</summary>
    [LinuxFact]
    [UnsupportedOSPlatform("windows")]
    public void HolesOfAFile_AreNotWalked()
    {
        const long Size = 1L << 40;
        FakeEntry sparse = new("sparse", GuestEntryKind.File) { Declared = Size, Stored = [(0, "first"), (Size / 2, "middle"), (Size - 4, "last")] };
        Assert.False(Copy(sparse, "sparse"));
        Assert.Equal(Size, new FileInfo(_scratch.File("sparse")).Length);
        using FileStream copy = File.OpenRead(_scratch.File("sparse"));
        byte[] bytes = new byte[8];
        copy.Position = (Size / 2) - 2;
        copy.ReadExactly(bytes);
        Assert.Equal("\0\0middle"u8.ToArray(), bytes);
        Assert.InRange(HostTree.AllocatedBytes(_scratch.File("sparse")), 1, 64 << 10);
        Assert.InRange(sparse.BytesRead, 1, 20);
    }

    /// <summary>Longer than any file system has: that file can't be made, the others are.</summary>
    [Fact]
    public void FileThatTheHostCannotHold_IsAFault()
    {
        FakeEntry huge = new("huge", GuestEntryKind.File) { Declared = long.MaxValue, Stored = [] };
        Assert.True(Copy(FakeEntry.Directory("root", huge, FakeEntry.File("other", "1")), "out"));
        Assert.Equal(["other"], Names("out"));
        Assert.StartsWith("/huge: ", Assert.Single(_messages), StringComparison.Ordinal);
    }

    [Fact]
    public void MaxBytes_EndsTheCopy()
    {
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.File("a", "1234"), FakeEntry.File("b", "1234"));
        GuestCopyOptions options = new() { MaxBytes = 7 };
        Assert.Equal(
            "more than 7 bytes are copied: GuestCopyOptions.MaxBytes allows more",
            Assert.Throws<GuestException>(() => root.CopyTo(_scratch.File("out"), options)).Message);
        Assert.Equal(["a"], Names("out"));
    }

    /// <summary>What the receiver of the progress throws isn't the guest's fault.</summary>
    [Fact]
    public void ExceptionOfTheProgress_EndsTheCopy()
    {
        FakeEntry root = FakeEntry.Directory("root", FakeEntry.File("a", "1234"), FakeEntry.File("b", "1234"));
        Assert.Equal("own", Assert.Throws<GuestException>(() => root.CopyTo(_scratch.File("out"), _options, new Thrower())).Message);
        Assert.Empty(_messages);
        Assert.Empty(Names("out"));
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

    private static FakeEntry Level(params GuestEntry[] entries)
    {
        FakeEntry level = new("d", GuestEntryKind.Directory) { Id = new object() };
        level.Entries.AddRange(entries);
        return level;
    }

    private static string WithoutSpecialBits(string line) => line[2] == '-' ? line : $"{line[0]} 0{line[3..]}";

    private bool Copy(GuestEntry entry, string destination)
    {
        int before = _messages.Count;
        Directory.CreateDirectory(Path.GetDirectoryName(_scratch.File(destination))!);
        GuestCopyResult result = entry.CopyTo(_scratch.File(destination), _options);
        Assert.Equal(_messages.Count - before, result.Faults);
        return result.Faults > 0;
    }

    private string[] Names(string directory) => [.. Directory.GetFileSystemEntries(_scratch.File(directory), "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_scratch.File(directory), path).Replace('\\', '/'))
        .Order(StringComparer.Ordinal)];

    private sealed class Thrower : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => throw new GuestException("own");
    }
}
