namespace Qcow2Stream.Tests.Follow;

/// <summary>What the default for images opened by path opens, and what not.</summary>
public sealed class SameDirectoryTests : IDisposable
{
    private const string Outside = "it lies outside '";

    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void FileBeside_IsOpened()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        _files.CheckOpens();
        _files.CheckOpens(FollowPolicy.SameDirectory);
    }

    [Theory]
    [InlineData("sub/base.raw")]
    [InlineData("./sub/./base.raw")]
    [InlineData("sub/../sub/base.raw")]
    [InlineData("file:sub/base.raw")]
    [InlineData("sub//base.raw")]
    [InlineData("missing/../sub/base.raw")]
    public void FileBelow_IsOpened(string name)
    {
        _files.WriteInside("sub/base.raw", ChainFiles.RawDisk);
        _files.WriteTop(name);
        _files.CheckOpens();
    }

    [Theory]
    [InlineData("../outside/base.raw")]
    [InlineData("sub/../../outside/base.raw")]
    [InlineData("file:../outside/base.raw")]
    [InlineData("../inside-not/base.raw")]
    [InlineData("..")]
    [InlineData("../outside/missing.raw")]
    public void FileAbove_IsRefused(string name)
    {
        _files.WriteOutside("base.raw", ChainFiles.RawDisk);
        _files.WriteOutside("../inside-not/base.raw", ChainFiles.RawDisk);
        _files.WriteTop(name);
        NamedFileException error = _files.CheckRefused(Outside);
        Assert.Equal(name, error.File.Name);
        Assert.Contains("FollowPolicy.Directories(...) or FollowPolicy.Trusted", error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Hint!, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Follow = FollowPolicy.Directories(...)", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void AbsoluteNameInside_IsOpened()
    {
        _files.WriteTop(_files.WriteInside("sub/base.raw", ChainFiles.RawDisk));
        _files.CheckOpens();
        _files.WriteTop("file:" + _files.WriteInside("sub/base.raw", ChainFiles.RawDisk));
        _files.CheckOpens();
    }

    [Fact]
    public void AbsoluteNameOutside_IsRefused()
    {
        _files.WriteTop(_files.WriteOutside("base.raw", ChainFiles.RawDisk));
        _files.CheckRefused(Outside);
    }

    [Fact]
    public void AbsoluteNameThatOnlyStartsLikeTheDirectory_IsRefused()
    {
        _files.WriteTop(_files.WriteOutside("../inside-not/base.raw", ChainFiles.RawDisk));
        _files.CheckRefused(Outside);
    }

    [Fact]
    public void FileOfTheThirdLayer_IsTakenFromTheSecondsDirectory()
    {
        _files.WriteInside("sub/base.raw", ChainFiles.RawDisk);
        _files.WriteInside("sub/middle.qcow2", ChainFiles.Overlay("base.raw"));
        _files.WriteTop("sub/middle.qcow2", "qcow2");
        using var chain = Qcow2Chain.Open(_files.Top);
        Assert.Equal(
            [_files.Top, Path.Combine(_files.Inside, "sub", "middle.qcow2"), Path.Combine(_files.Inside, "sub", "base.raw")],
            chain.Layers.Select(layer => Path.GetFullPath(layer.Path!)));
    }

    [Fact]
    public void FileAboveTheSecondLayer_IsRefusedThoughBesideTheTop()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        string middle = _files.WriteInside("sub/middle.qcow2", ChainFiles.Overlay("../base.raw"));
        _files.WriteTop("sub/middle.qcow2", "qcow2");
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(_files.Top));
        Assert.Equal(middle, error.ImagePath);
        Assert.Contains($"the chain: {_files.Top} -> {middle} -> ../base.raw", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TopInTheCurrentDirectory_HasThatDirectory()
    {
        // A path without a directory; the test's own must not be changed, so a relative one leads there.
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, _files.Top);
        using var chain = Qcow2Chain.Open(relative);
        Assert.Equal(Path.Combine(Path.GetDirectoryName(relative)!, "base.raw"), chain.Layers[1].Path);
        Assert.Equal(relative, chain.Layers[0].Path);
    }

    [Fact]
    public void MissingFile_SaysSoWithTheChain()
    {
        _files.WriteTop("missing.raw");
        NamedFileException error = _files.CheckRefused("backing file 'missing.raw' is not opened: it does not exist");
        Assert.Contains($"the chain: {_files.Top} -> missing.raw", error.Message, StringComparison.Ordinal);
        Assert.IsType<FileNotFoundException>(error.InnerException);
    }

    [Fact]
    public void MissingDirectory_SaysSo()
    {
        _files.WriteTop("missing/base.raw");
        _files.CheckRefused("it does not exist");
    }

    [Fact]
    public void FileAsADirectory_SaysSo()
    {
        _files.WriteInside("file", ChainFiles.RawDisk);
        _files.WriteTop("file/base.raw");
        _files.CheckRefused("it does not exist");
    }

    [Theory]
    [InlineData("sub")]
    [InlineData("sub/")]
    public void Directory_IsRefused(string name)
    {
        Directory.CreateDirectory(Path.Combine(_files.Inside, "sub"));
        _files.WriteTop(name);
        _files.CheckRefused("it can't be opened");
    }

    [Fact]
    public void OwnDirectory_IsRefused()
    {
        _files.WriteTop(".");
        _files.CheckRefused("is not opened");
    }

    [Fact]
    public void NameTooLongForTheHost_IsRefused()
    {
        _files.WriteInside("top.qcow2", new Infrastructure.Qcow2Builder
        {
            ClusterBits = 12,
            Size = ChainFiles.DiskSize,
            BackingFile = new string('n', 1023),
            BackingFormat = "raw",
        }.Build().ToBytes());
        _files.CheckRefused("is not opened: it ");
    }
}
