using DiscUtils;
using DiscUtils.Ext;
using DiscUtils.Fat;
using Qcow2Stream.FileSystems.Tests.Guests;
using Qcow2Stream.Tests.Concurrency;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Disks;

/// <summary>Images in a file system that DiscUtils reads, opened there with what they name.</summary>
public sealed class NestedImageTests : IDisposable
{
    private const int DiskSize = 4096;

    private static readonly byte[] RawDisk = GuestDisk.Filled(DiskSize, 0x5A);

    private readonly TempDirectory _scratch = new();
    private readonly ListedFiles _files = new();

    static NestedImageTests() => Qcow2Disk.Register();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(@"images\top.qcow2")]
    [InlineData("images/top.qcow2")]
    [InlineData(@"\images\top.qcow2")]
    [InlineData("/images/top.qcow2")]
    public void ChainInsideADiskInAChain_IsRead(string path)
    {
        SampleDisk.WriteChain(_scratch, out byte[] expected);
        using Qcow2Disk outer = new(new MemoryStream(FatDisk("images")));
        using FatFileSystem files = new(outer.Content);

        using VirtualDisk inner = VirtualDisk.OpenDisk(files, path, FileAccess.Read);

        Assert.Equal(expected, inner.Content.ReadAll());
        Assert.Equal(["/images/top.qcow2", "/images/base.qcow2"], inner.Layers.Select(l => l.FullPath));
    }

    /// <summary>A chain of four images in a folder of an ext4 in a qcow2.</summary>
    [Fact]
    public void ChainInsideAnExt4InAnImage_IsReadAsOnTheHost()
    {
        using Qcow2ChainStream host = new(Repository.Image("chain-3.qcow2"));
        using VirtualDisk outer = VirtualDisk.OpenDisk(GuestImages.Disk("nested"), FileAccess.Read);
        using ExtFileSystem files = new(outer.Content);

        using VirtualDisk inner = VirtualDisk.OpenDisk(files, "images/chain-3.qcow2", FileAccess.Read);

        Assert.Equal(host.ReadAll(), inner.Content.ReadAll());
        Assert.Equal(4, inner.Layers.Count());
    }

    [Theory]
    [InlineData("base.raw", "images/base.raw")]
    [InlineData("file:base.raw", "images/base.raw")]
    [InlineData("json:{\"file.filename\": \"base.raw\"}", "images/base.raw")]
    [InlineData("./sub//base.raw", "images/sub/base.raw")]
    [InlineData(@"sub\base.raw", "images/sub/base.raw")]
    [InlineData("sub/../base.raw", "images/base.raw")]
    [InlineData("missing/..\\base.raw", "images/base.raw")]
    public void NameBelow_IsOpened(string name, string found)
    {
        _files.Add("images/top.qcow2", Overlay(name));
        _files.Add(found, RawDisk);

        using VirtualDisk disk = VirtualDisk.OpenDisk(_files, @"images\top.qcow2", FileAccess.Read);

        Assert.Equal(RawDisk, disk.Content.ReadAll());
        Assert.Equal(["images/top.qcow2", found], _files.Asked);
        Assert.Equal(found, ((Qcow2Disk)disk).Chain.Layers[1].Path);
        Assert.Equal("/" + found, disk.Layers.Last().FullPath);
    }

    [Theory]
    [InlineData("../secret.raw")]
    [InlineData(@"..\secret.raw")]
    [InlineData("/secret.raw")]
    [InlineData(@"\secret.raw")]
    [InlineData("/images/base.raw")]
    [InlineData("file:/secret.raw")]
    [InlineData("sub/../../secret.raw")]
    [InlineData(@"sub\..\..\secret.raw")]
    [InlineData(@"sub/..\../secret.raw")]
    [InlineData("sub/.. /.. /.. /secret.raw")]
    [InlineData(".. /secret.raw")]
    [InlineData(" ../secret.raw")]
    [InlineData("..\u00a0/secret.raw")]
    [InlineData("json:{\"file.filename\": \"../secret.raw\"}")]
    [InlineData("json:{\"file.filename\": \"c:/secret.raw\"}")]
    [InlineData("json:{\"file.filename\": \"\\\\secret.raw\"}")]
    [InlineData("nbd:secret.raw")]
    [InlineData("..")]
    [InlineData("sub/..")]
    [InlineData(".")]
    [InlineData("missing.raw")]
    public void HostileName_IsRefused(string name)
    {
        _files.Add("images/top.qcow2", Overlay(name));
        _files.Add("images/base.raw", RawDisk);
        _files.Add("secret.raw", RawDisk);

        NamedFileException error = Assert.Throws<NamedFileException>(
            () => VirtualDisk.OpenDisk(_files, @"images\top.qcow2", FileAccess.Read));

        Assert.Equal("images/top.qcow2", error.ImagePath);
        Assert.DoesNotContain("secret.raw", _files.Asked);
        Assert.DoesNotContain("images/base.raw", _files.Asked);
    }

    /// <summary>DiscUtils would follow them, wherever they lead.</summary>
    [Theory]
    [InlineData("base.raw", "images/base.raw")]
    [InlineData("sub/base.raw", "images/sub")]
    [InlineData(@"deep\sub\base.raw", "images/deep/sub")]
    [InlineData("sub/../base.raw", "images/base.raw")]
    public void NameThatPassesALink_IsRefused(string name, string link)
    {
        _files.Add("images/top.qcow2", Overlay(name));
        _files.Links.Add(link);

        NamedFileException error = Assert.Throws<NamedFileException>(
            () => VirtualDisk.OpenDisk(_files, @"images\top.qcow2", FileAccess.Read));

        Assert.Contains("a link leads to it", error.Message, StringComparison.Ordinal);
        Assert.Equal(["images/top.qcow2"], _files.Asked);
    }

    [Fact]
    public void LinkAboveTheImage_IsItsCallersChoice()
    {
        _files.Add("images/top.qcow2", Overlay("base.raw"));
        _files.Add("images/base.raw", RawDisk);
        _files.Links.Add("images");

        using VirtualDisk disk = VirtualDisk.OpenDisk(_files, "images/top.qcow2", FileAccess.Read);

        Assert.Equal(RawDisk, disk.Content.ReadAll());
    }

    /// <summary>In a real ext4: DiscUtils takes a link for what it leads to.</summary>
    [UnixFact]
    public async Task LinkOutOfTheDirectoryInAnExt4_IsRefused()
    {
        string tree = _scratch.File("tree");
        Directory.CreateDirectory(Path.Combine(tree, "images"));
        File.WriteAllBytes(Path.Combine(tree, "secret.raw"), RawDisk);
        File.WriteAllBytes(Path.Combine(tree, "images", "base.raw"), RawDisk);
        File.WriteAllBytes(Path.Combine(tree, "images", "good.qcow2"), Overlay("base.raw"));
        foreach ((string image, string link, string target) in new[] { ("file", "link", "../secret.raw"), ("directory", "dir", "..") })
        {
            File.CreateSymbolicLink(Path.Combine(tree, "images", link), target);
            File.WriteAllBytes(Path.Combine(tree, "images", image + ".qcow2"), Overlay(link == "dir" ? "dir/secret.raw" : link));
        }

        string disk = _scratch.File("ext4.raw");
        await CliWrap.Cli.Wrap("/usr/sbin/mke2fs").WithArguments(["-q", "-t", "ext4", "-d", tree, disk, "4M"]).ExecuteAsync();
        using FileStream content = File.OpenRead(disk);
        using ExtFileSystem files = new(content);
        using (VirtualDisk good = VirtualDisk.OpenDisk(files, "images/good.qcow2", FileAccess.Read))
        {
            Assert.Equal(RawDisk, good.Content.ReadAll());
        }

        foreach (string image in new[] { "file", "directory" })
        {
            NamedFileException error = Assert.Throws<NamedFileException>(() => VirtualDisk.OpenDisk(files, $"images/{image}.qcow2", FileAccess.Read));
            Assert.Contains("a link leads to it", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void NameInALowerImage_IsTakenFromItsOwnDirectory()
    {
        _files.Add("images/top.qcow2", Overlay("sub/middle.qcow2", "qcow2"));
        _files.Add("images/sub/middle.qcow2", Overlay("../base.raw"));
        _files.Add("images/base.raw", RawDisk);

        NamedFileException error = Assert.Throws<NamedFileException>(
            () => VirtualDisk.OpenDisk(_files, "images/top.qcow2", FileAccess.Read));

        Assert.Contains("leads upwards", error.Message, StringComparison.Ordinal);
        Assert.Contains("images/top.qcow2 -> images/sub/middle.qcow2 -> ../base.raw", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top.qcow2")]
    [InlineData("./sub/../top.qcow2")]
    public void Loop_IsRefused(string name)
    {
        _files.Add("images/top.qcow2", Overlay("middle.qcow2", "qcow2"));
        _files.Add("images/middle.qcow2", Overlay(name, "qcow2"));

        NamedFileException error = Assert.Throws<NamedFileException>(
            () => VirtualDisk.OpenDisk(_files, @"\images\.\top.qcow2", FileAccess.Read));

        Assert.Contains("loops", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChainOfTooManyImages_IsRefused()
    {
        for (int i = 0; i < 100; i++)
        {
            _files.Add($"{i}.qcow2", Overlay($"{i + 1}.qcow2", "qcow2"));
        }

        NamedFileException error = Assert.Throws<NamedFileException>(() => VirtualDisk.OpenDisk(_files, "0.qcow2", FileAccess.Read));

        Assert.Contains("64 layers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ImageKnownByItsFirstBytesAlone_MayNotNameFiles()
    {
        _files.Add("top.qcow2", Overlay("middle.qcow2", format: null));
        _files.Add("middle.qcow2", Overlay("base.raw"));
        _files.Add("base.raw", RawDisk);

        Assert.Throws<NamedFileException>(() => VirtualDisk.OpenDisk(_files, "top.qcow2", FileAccess.Read));
    }

    [Fact]
    public void DataFile_IsOpenedBesideItsImage()
    {
        _files.Add("images/data-file.qcow2", File.ReadAllBytes(Repository.Image("data-file.qcow2")));
        _files.Add("images/data-file.raw", File.ReadAllBytes(Repository.Image("data-file.raw")));
        using Qcow2Chain expected = Qcow2Chain.Open(Repository.Image("data-file.qcow2"));

        using VirtualDisk disk = VirtualDisk.OpenDisk(_files, "images/data-file.qcow2", FileAccess.Read);

        Assert.Equal(expected.ReadWholeDisk(), disk.Content.ReadAll());
    }

    [Fact]
    public void OtherContent_IsNeverTakenForARawDisk()
    {
        _files.Add("disk.qcow2", RawDisk);
        Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => VirtualDisk.OpenDisk(_files, "disk.qcow2", FileAccess.Read));
        Assert.Equal("disk.qcow2", error.ImagePath);
        Assert.Throws<NotSupportedException>(() => VirtualDisk.OpenDisk(_files, "disk.qcow2", FileAccess.ReadWrite));
        Assert.Throws<FileNotFoundException>(() => VirtualDisk.OpenDisk(_files, "missing.qcow2", FileAccess.Read));
    }

    [Fact]
    public async Task FilesOfOneFileSystem_AreReadInTurns()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);
        _files.Add("top.qcow2", File.ReadAllBytes(path));
        _files.Add("base.qcow2", File.ReadAllBytes(_scratch.File("base.qcow2")));
        using Qcow2Disk disk = (Qcow2Disk)VirtualDisk.OpenDisk(_files, "top.qcow2", FileAccess.Read);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(reader => Task.Run(() => RandomReader.RunAsync(disk.Chain, expected, reader, reads: 100))));
    }

    [Fact]
    public async Task DamageOfTheFileSystem_IsOurException()
    {
        _files.Add("top.qcow2", Overlay("base.raw"));
        _files.Add("base.raw", RawDisk);
        using Qcow2Disk disk = (Qcow2Disk)VirtualDisk.OpenDisk(_files, "top.qcow2", FileAccess.Read);

        _files.IsDamaged = true;

        byte[] buffer = new byte[DiskSize];
        Assert.Throws<Qcow2Exception>(() => disk.Chain.ReadAt(0, buffer));
        await Assert.ThrowsAsync<Qcow2Exception>(async () => await disk.Chain.ReadAtAsync(0, buffer));
    }

    private static byte[] Overlay(string backingFile, string? format = "raw") => new Qcow2Builder
    {
        ClusterBits = 9,
        Size = DiskSize,
        BackingFile = backingFile,
        BackingFormat = format,
    }.Build().ToBytes();

    /// <summary>A qcow2 image of a FAT file system that has the images of the scratch directory in a directory.</summary>
    private byte[] FatDisk(string directory)
    {
        const int Floppy = 1440 << 10;
        MemoryStream content = new(new byte[Floppy]);
        using (FatFileSystem files = FatFileSystem.FormatFloppy(content, FloppyDiskType.HighDensity, "images"))
        {
            files.CreateDirectory(directory);
            foreach (string path in Directory.GetFiles(_scratch.Path))
            {
                using Stream file = files.OpenFile($@"{directory}\{Path.GetFileName(path)}", FileMode.Create, FileAccess.Write);
                file.Write(File.ReadAllBytes(path));
            }
        }

        return new Qcow2Builder
        {
            Size = Floppy,
            Clusters = [GuestClusters.Data(0, content.ToArray(), count: (Floppy + 0xFFFF) >> 16)],
        }.Build().ToBytes();
    }
}
