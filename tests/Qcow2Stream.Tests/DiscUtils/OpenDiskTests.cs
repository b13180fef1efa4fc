using DiscUtils;
using DiscUtils.Internal;
using Qcow2Stream.HostFiles;
using Qcow2Stream.Plugin;
using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Streams;

namespace Qcow2Stream.Tests.Disks;

/// <summary>Images of the host, opened by DiscUtils.</summary>
public sealed class OpenDiskTests : IDisposable
{
    private readonly ChainFiles _files = new();
    private readonly TempDirectory _scratch = new();

    static OpenDiskTests() => Qcow2Disk.Register();

    /// <summary>How DiscUtils comes to a file of the host, given its path.</summary>
    public static IEnumerable<string> Ways => ["path", "file system", "file system of a directory above"];

    public static TheoryData<string> AllWays => [.. Ways];

    public void Dispose()
    {
        _files.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [MemberData(nameof(AllWays))]
    public void Chain_IsOpenedByItsPaths(string way)
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);

        using VirtualDisk disk = Open(way, path);

        Assert.Equal(expected, disk.Content.ReadAll());
        Qcow2Chain chain = Assert.IsType<Qcow2Disk>(disk).Chain;
        Assert.Equal([path, _scratch.File("base.qcow2")], chain.Layers.Select(l => l.Path));
        Assert.All(chain.Inner.Layers, l => Assert.IsType<PathHostFile>(l.File));
    }

    [Theory]
    [MemberData(nameof(AllWays))]
    public void FileOutside_IsRefused(string way)
    {
        _files.WriteOutside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("../outside/base.raw");
        Assert.Contains("it lies outside", Assert.Throws<NamedFileException>(() => Open(way, _files.Top)).Message, StringComparison.Ordinal);
        _files.WriteTop(Path.Combine(_files.Outside, "base.raw"));
        Assert.Contains("it lies outside", Assert.Throws<NamedFileException>(() => Open(way, _files.Top)).Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public void LinkThatLeadsOutside_IsRefusedByAnyWay()
    {
        _files.LinkInside("link", _files.WriteOutside("base.raw", ChainFiles.RawDisk));
        _files.WriteTop("link");
        foreach (string way in Ways)
        {
            Assert.Contains("it lies outside", Assert.Throws<NamedFileException>(() => Open(way, _files.Top)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void FileSystemThatDecodesFilesOfTheHost_IsReadThroughItself()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);
        foreach (string file in new[] { path, _scratch.File("base.qcow2") })
        {
            File.WriteAllBytes(file, [.. File.ReadAllBytes(file).Select(b => (byte)~b)]);
        }

        using VirtualDisk disk = VirtualDisk.OpenDisk(new InvertedFiles(_scratch.Path), "top.qcow2", FileAccess.Read);

        Assert.Equal(expected, disk.Content.ReadAll());
        _scratch.Write("top.qcow2", [.. ChainFiles.Overlay("../base.raw").Select(b => (byte)~b)]);
        Assert.Throws<NamedFileException>(() => VirtualDisk.OpenDisk(new InvertedFiles(_scratch.Path), "top.qcow2", FileAccess.Read));
    }

    [Fact]
    public void ImageByAnotherName_IsOpenedByItsType()
    {
        string path = _scratch.Write("disk.img", File.ReadAllBytes(Repository.Image("v2.qcow2")));

        using VirtualDisk disk = VirtualDisk.OpenDisk(path, "QCOW2", FileAccess.Read, null, null);

        Assert.Equal(Qcow2Chain.Open(path).ReadWholeDisk(), disk.Content.ReadAll());
    }

    [Fact]
    public void OpeningToWrite_IsRefused()
    {
        string path = Repository.Image("v2.qcow2");
        foreach (FileAccess access in new[] { FileAccess.ReadWrite, FileAccess.Write })
        {
            Exception error = Assert.Throws<NotSupportedException>(() => VirtualDisk.OpenDisk(path, access));
            Assert.Contains("FileAccess.Read", error.Message, StringComparison.Ordinal);
            Assert.Throws<NotSupportedException>(() => new Qcow2DiskFactory().OpenDisk(path, access));
        }

        Assert.Throws<NotSupportedException>(() => VirtualDisk.CreateDisk("QCOW2", "", _scratch.File("new.qcow2"), 1 << 20, null, null));
        Assert.Throws<NotSupportedException>(() => new Qcow2DiskFactory().GetImageBuilder(""));
        Assert.False(File.Exists(_scratch.File("new.qcow2")));
    }

    [Theory]
    [InlineData("no qcow2 image at all")]
    [InlineData("")]
    public void OtherContent_IsNeverTakenForARawDisk(string content)
    {
        string path = _scratch.Write("disk.qcow2", System.Text.Encoding.ASCII.GetBytes(content));
        foreach (string way in Ways)
        {
            Qcow2FormatException error = Assert.Throws<Qcow2FormatException>(() => Open(way, path));
            Assert.Equal(path, error.ImagePath);
            Assert.Contains("not a qcow2 image", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<Qcow2FormatException>(() => new Qcow2DiskFactory().OpenDisk(path, FileAccess.Read));
    }

    [Fact]
    public void MissingImage_IsNotFound()
    {
        Assert.Throws<FileNotFoundException>(() => VirtualDisk.OpenDisk(_scratch.File("missing.qcow2"), FileAccess.Read));
    }

    [Fact]
    public void FactoryByPath_OpensTheChain()
    {
        string path = SampleDisk.WriteChain(_scratch, out byte[] expected);
        VirtualDiskFactory factory = new Qcow2DiskFactory();

        using VirtualDisk disk = factory.OpenDisk(path, FileAccess.Read);

        Assert.Equal(expected, disk.Content.ReadAll());
    }

    [LinuxFact]
    public void FailedOpen_LeavesNoFileOpen()
    {
        _files.WriteTop("missing.raw");
        Assert.Throws<NamedFileException>(() => VirtualDisk.OpenDisk(_files.Top, FileAccess.Read));
        Assert.Empty(_files.OpenFiles());
    }

    private static VirtualDisk Open(string way, string path)
    {
        string directory = Path.GetDirectoryName(path)!;
        return way switch
        {
            "path" => VirtualDisk.OpenDisk(path, FileAccess.Read),
            "file system" => VirtualDisk.OpenDisk(new NativeFileSystem(directory, readOnly: true), Path.GetFileName(path), FileAccess.Read),
            _ => VirtualDisk.OpenDisk(
                new NativeFileSystem(Path.GetDirectoryName(directory)!, readOnly: true),
                Path.Combine(Path.GetFileName(directory), Path.GetFileName(path)),
                FileAccess.Read),
        };
    }
}
