using System.Security.Cryptography;
using System.Text;
using DiscUtils.Streams;
using Qcow2Stream.FileSystems;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Cli;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Guests;

/// <summary>ls, cat, cp and df as a user runs them.</summary>
public sealed class GuestCommandTests : IDisposable
{
    private readonly TempDirectory _scratch = new();

    public static TheoryData<string> Disks => [.. GuestImages.Names()];

    public void Dispose() => _scratch.Dispose();

    /// <summary>Each kind of content and of partition table by its name.</summary>
    [Theory]
    [MemberData(nameof(Disks))]
    public async Task Df_NamesWhatIsThere(string disk)
    {
        QemuResult result = await Qcow2Tool.Run("df", GuestImages.Disk(disk));
        await Verifier.Verify($"exit {result.ExitCode}\n{result.Error}{result.Output}").UseParameters(disk);
    }

    [Fact]
    public async Task DfJson_HasSizesInBytes()
    {
        QemuResult result = await Qcow2Tool.Run("df", "--output", "json", GuestImages.Disk("gpt"));
        await Verifier.Verify(result.Output);
    }

    [Fact]
    public async Task DfJson_HasSubvolumes()
    {
        QemuResult result = await Qcow2Tool.Run("df", "--output", "json", GuestImages.Disk("btrfs-today"));
        await Verifier.Verify(result.Output);
    }

    /// <summary>A file system over three disks: all of them are needed, in any order.</summary>
    [Fact]
    public async Task OtherDisks_MakeAFileSystemWhole()
    {
        string[] disks = [.. Enumerable.Range(0, 3).Select(i => _scratch.File($"{i}.raw"))];
        using (Guest guest = Guest.Open(Qcow2Chain.Open(GuestImages.Disk("btrfs-raid0"))))
        {
            foreach ((string path, GuestVolume volume) in disks.Zip(guest.Volumes))
            {
                using SparseStream device = volume.OpenStream();
                using FileStream copy = File.Create(path);
                copy.SetLength(device.Length);
                foreach (StreamExtent extent in device.Extents)
                {
                    byte[] bytes = new byte[extent.Length];
                    device.Position = copy.Position = extent.Start;
                    device.ReadExactly(bytes);
                    copy.Write(bytes);
                }
            }
        }

        string line = GuestTree.Expected(GuestImages.Folder("trees/btrfs-raid0-1.txt")).Single(entry => GuestTree.PathOf(entry) == "/sizes/striped");
        byte[] whole = await Qcow2Tool.RunForBytes("cat", disks[2], "--disk", disks[0], "--disk", disks[1], "/sizes/striped");
        Assert.Equal(line.Split(' ')[3], Convert.ToHexStringLower(SHA256.HashData(whole)));
        QemuResult part = await Qcow2Tool.Run("cat", disks[2], "--disk", disks[0], "/sizes/striped");
        Assert.Equal((1, "qcow2: /sizes/striped: it needs device 2 of the file system, which is not there\n"), (part.ExitCode, part.Error));
        QemuResult df = await Qcow2Tool.Run("df", disks[0], "--disk", disks[1]);
        Assert.Matches(@"\n 2:0 +0 +130 MiB +- +-  Btrfs, with 0 ", df.Output);
    }

    [Theory]
    [InlineData("/", "deep\nempty directory\netc\nhome\nlinks\nlzo\nmany\nnames\nsizes\nsnap shots\nspecial\ntop\nvar\nzlib\nzstd\n")]
    [InlineData("/home", "empty\n")]
    [InlineData("/home", "user\nuser2\n", "--mounts")]
    [InlineData("/", "user\nuser2\n", "--subvolume", "@home")]
    [InlineData("/", "@\n@home\n@snapshots\n", "--subvolume", "5")]
    public async Task Subvolumes_AreChosen(string path, string expected, params string[] options)
    {
        QemuResult result = await Qcow2Tool.Run(["ls", GuestImages.Disk("btrfs-today"), path, .. options]);
        Assert.Equal((0, expected, ""), (result.ExitCode, result.Output, result.Error));
    }

    /// <summary>Disks as today's installers lay them out: the file is found wherever it is, and what is locked is told.</summary>
    [Theory]
    [InlineData("rhel", "rhel_guest-root")]
    [InlineData("fedora", "part3-root00")]
    [InlineData("ubuntu", "ubuntu-vg-ubuntu-lv")]
    public async Task FileOfAnInstalledSystem_IsFound(string disk, string tree)
    {
        string line = GuestTree.Expected(GuestImages.Folder($"volumes/{disk}/{tree}.txt")).Single(entry => GuestTree.PathOf(entry) == "/usr/lib/os-release");
        byte[] content = await Qcow2Tool.RunForBytes("cat", "--key-file", _scratch.Write("key", "guest secret"u8), GuestImages.Disk(disk), "/etc/os-release");
        Assert.Equal(line.Split(' ')[3], Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    [Fact]
    public async Task VolumeWithoutItsKey_IsNamedWhereAPathIsNotFound()
    {
        const string Message = "qcow2: '/etc/os-release' does not exist on partition 2 (ext4) (not searched: partition 3, LUKS: ";
        QemuResult result = await Qcow2Tool.Run("cat", GuestImages.Disk("ubuntu"), "/etc/os-release");
        Assert.Equal((1, $"{Message}no passphrase was given, --key-file)\n"), (result.ExitCode, result.Error));

        // The one key given is another volume's, or wrong.
        string key = _scratch.Write("key", "another secret"u8);
        result = await Qcow2Tool.Run("cat", "--key-file", $"0b5c0d2e-7c1f-4f3b-9a53-000000000000={key}", GuestImages.Disk("ubuntu"), "/etc/os-release");
        Assert.Equal((1, $"{Message}no passphrase was given, --key-file)\n"), (result.ExitCode, result.Error));
        result = await Qcow2Tool.Run("cat", "--key-file", key, GuestImages.Disk("ubuntu"), "/etc/os-release");
        Assert.Equal((1, $"{Message}the passphrase is wrong: it opens none of the key slots (tried: 1))\n"), (result.ExitCode, result.Error));
    }

    [Theory]
    [InlineData("ext4", "/special")]
    [InlineData("ext4", "/links")]
    [InlineData("fat32", "/names")]
    [InlineData("iso", "/special")]
    public async Task LsLong_ShowsWhatTheFileSystemKeeps(string disk, string path)
    {
        QemuResult result = await Qcow2Tool.Run("ls", "-l", GuestImages.Disk(disk), path);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        await Verifier.Verify(result.Output).UseParameters(disk, path.Trim('/'));
    }

    [Fact]
    public async Task LsRecursive_ListsEveryPath()
    {
        QemuResult result = await Qcow2Tool.Run("ls", "-R", "--partition", "2", GuestImages.Disk("gpt"));
        string[] expected = [.. GuestTree.Expected(GuestImages.Folder("trees/gpt-2.txt")).Select(GuestTree.PathOf), "/lost+found"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task LsOfAFile_ShowsIt()
    {
        QemuResult result = await Qcow2Tool.Run("ls", GuestImages.Disk("ext4"), "/etc/os-release");
        Assert.Equal("/etc/os-release\n", result.Output);
    }

    [Fact]
    public async Task Cat_WritesTheFile()
    {
        byte[] actual = await Qcow2Tool.RunForBytes("cat", GuestImages.Disk("gpt"), "--partition", "2", "/etc/os-release");
        Assert.StartsWith("NAME=\"Guest Linux\"\nID=guest\n", Encoding.UTF8.GetString(actual), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/etc", "qcow2: '/etc' is not a file but a directory (to list it: qcow2 ls; to copy it: qcow2 cp)\n")]
    [InlineData("/special/fifo", "qcow2: '/special/fifo' is not a file but a device, pipe or socket\n")]
    [InlineData("/none", "qcow2: '/none' does not exist on the disk (ext4)\n")]
    public async Task CatOfNoFile_SaysWhatItIs(string path, string message)
    {
        QemuResult result = await Qcow2Tool.Run("cat", GuestImages.Disk("ext4"), path);
        Assert.Equal((1, message, ""), (result.ExitCode, result.Error, result.Output));
    }

    /// <summary>Where a path is looked for in vain, the message names the option or the command that helps.</summary>
    [Theory]
    [InlineData("gpt", "/", null, "'/' is on partition 1 (FAT32), partition 2 (ext4), partition 3 (XFS); choose with --partition N")]
    [InlineData("gpt", "/", 9, "there is no partition 9; the disk has partition 1, partition 2, partition 3, partition 4 (for more: qcow2 df)")]
    [InlineData("gpt", "/", 4, "partition 4 holds no file system that can be read: found swap")]
    [InlineData("gpt", "/nowhere", null, "'/nowhere' does not exist on partition 1 (FAT32) or partition 2 (ext4) or partition 3 (XFS)")]
    [InlineData("ext4", "/", 1, "there is no partition 1: the disk has no partition table (to take it as a whole: --partition 0, or leave it out)")]
    [InlineData("squashfs", "/", null, "no file system that can be read: found squashfs on the disk (for more: qcow2 df)")]
    [InlineData("squashfs", "/", 0, "the disk holds no file system that can be read: found squashfs")]
    public async Task PathThatIsNotFound_SaysWhatHelps(string disk, string path, int? partition, string message)
    {
        string[] choice = partition is { } number ? ["--partition", $"{number}"] : [];
        QemuResult result = await Qcow2Tool.Run(["ls", GuestImages.Disk(disk), path, .. choice]);
        Assert.Equal((1, $"qcow2: {message}\n", ""), (result.ExitCode, result.Error, result.Output));
    }

    [Fact]
    public async Task CpIntoADirectory_KeepsTheName()
    {
        QemuResult result = await Qcow2Tool.Run("cp", GuestImages.Disk("ext4"), "/deep", _scratch.Path);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Error, result.Output));
        Assert.Equal("six folders down\n", File.ReadAllText(_scratch.File("deep/2/3/4/5/6/file.txt")));
    }

    [Fact]
    public async Task CpOfAFile_TakesTheNewName()
    {
        QemuResult result = await Qcow2Tool.Run("cp", GuestImages.Disk("ext4"), "/etc/os-release", _scratch.File("copy"));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(81, new FileInfo(_scratch.File("copy")).Length);
        result = await Qcow2Tool.Run("cp", GuestImages.Disk("ext4"), "/etc/os-release", _scratch.File("copy"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("exists", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A name that ends with a slash is a directory's: a file does not become one.</summary>
    [Fact]
    public async Task CpIntoADirectoryThatIsNotThere_IsRefusedForAFile()
    {
        string destination = _scratch.File("new/");
        QemuResult result = await Qcow2Tool.Run("cp", GuestImages.Disk("ext4"), "/etc/os-release", destination);
        Assert.Equal(
            new QemuResult(1, "", $"qcow2: there is no directory '{destination}' (to copy into it: make it first; to a new name: without the slash)\n"),
            result);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Path));
        Assert.Equal(0, (await Qcow2Tool.Run("cp", GuestImages.Disk("ext4"), "/deep", destination)).ExitCode);
        Assert.True(File.Exists(_scratch.File("new/2/3/4/5/6/file.txt")));
    }

    [Fact]
    public async Task CpOfSpecialFiles_SaysHowManyAreLeftOut()
    {
        QemuResult result = await Qcow2Tool.Run("cp", GuestImages.Disk("ext4"), "/special", _scratch.File("out"));
        Assert.Equal((0, "qcow2: devices, pipes and sockets that are not copied: 2\n"), (result.ExitCode, result.Error));
    }

    /// <summary>Its guest was cut off: what it wrote last is in a part of the journal that is not replayed.</summary>
    [Fact]
    public async Task UnreplayedJournal_IsTold()
    {
        QemuResult result = await Qcow2Tool.Run("ls", GuestImages.Disk("ext4-fast-commit"));
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            "qcow2: the disk (ext4): its journal has fast commits, which are not replayed: what the guest wrote last may be missing\n", result.Error);
    }

    /// <summary>Its guest was cut off: what it wrote last is in the journal only.</summary>
    [Fact]
    public async Task ReplayedJournal_IsNotTold()
    {
        QemuResult result = await Qcow2Tool.Run("ls", GuestImages.Disk("ext4-journal"));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("new\n", result.Output, StringComparison.Ordinal);
    }

    /// <summary>A cluster of the image is broken: what needs it is reported, all else is copied, and the exit code says so.</summary>
    [Fact]
    public async Task CpFromADamagedImage_FinishesAndReports()
    {
        // The data of /sizes/large.txt, which is compressed in the image: found by its place on the volume.
        byte[] image = File.ReadAllBytes(GuestImages.Disk("ext4"));
        MapExtent large;
        using (Qcow2ChainStream disk = new(GuestImages.Disk("ext4")))
        {
            byte[] volume = new byte[disk.Length];
            disk.ReadExactly(volume);
            int at = volume.AsSpan().IndexOf("line 001000 of part 2"u8);
            large = disk.Chain.Map(at, 1).Single();
        }

        image.AsSpan((int)large.HostOffset!.Value, (int)large.HostLength).Fill(0xFF);
        QemuResult result = await Qcow2Tool.Run("cp", _scratch.Write("bad.qcow2", image), "/", _scratch.File("out"));
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("qcow2: /sizes/large.txt: ", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_scratch.File("out/sizes/large.txt")));
        Assert.True(File.Exists(_scratch.File("out/etc/os-release")));
        Assert.True(File.Exists(_scratch.File("out/many/one-of-many-files-160.txt")));
    }
}
