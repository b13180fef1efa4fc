using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Follow;

/// <summary>The presets other than the default, and what a refusal tells the user to do.</summary>
public sealed class PolicyTests : IDisposable
{
    private readonly ChainFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void None_OpensNothing()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        NamedFileException error = _files.CheckRefused("no file that an image names is opened", FollowPolicy.None);
        Assert.Contains("to allow it: Follow = FollowPolicy.SameDirectory)", error.Message, StringComparison.Ordinal);
        Assert.Contains($"the chain: {_files.Top} -> base.raw", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void None_OpensAnImageThatNamesNothing()
    {
        _files.WriteInside("top.qcow2", ChainFiles.Overlay(null));
        using var chain = Qcow2Chain.Open(_files.Top, new() { Follow = FollowPolicy.None });
        Assert.Single(chain.Layers);
    }

    [Fact]
    public void Directories_AllowThoseAndNoOthers()
    {
        _files.WriteTop(_files.WriteOutside("sub/base.raw", ChainFiles.RawDisk));
        _files.CheckOpens(FollowPolicy.Directories(_files.Outside));
        _files.CheckOpens(FollowPolicy.Directories(_files.Outside + Path.DirectorySeparatorChar));
        _files.CheckOpens(FollowPolicy.Directories(_files.Inside, Path.Combine(_files.Outside, "sub")));
        _files.CheckOpens(FollowPolicy.Directories(Path.GetRelativePath(Environment.CurrentDirectory, _files.Outside)));
        _files.CheckOpens(FollowPolicy.Directories(Path.GetPathRoot(_files.Outside)!));
        _files.CheckRefused("it lies outside '", FollowPolicy.Directories(_files.Inside, Path.Combine(_files.Outside, "su")));
    }

    [Fact]
    public void Directories_DoNotIncludeTheImagesOwn()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        NamedFileException error = _files.CheckRefused($"it lies outside '{_files.Outside}'", FollowPolicy.Directories(_files.Outside));
        Assert.Contains("FollowPolicy.Directories(...)", error.Message, StringComparison.Ordinal);
    }

    [UnixFact]
    public void LinkFromOneDirectoryToAnother_IsFollowed()
    {
        _files.LinkInside("link", _files.WriteOutside("base.raw", ChainFiles.RawDisk));
        _files.WriteTop("link");
        _files.CheckOpens(FollowPolicy.Directories(_files.Inside, _files.Outside));
        _files.CheckRefused("it lies outside '", FollowPolicy.Directories(_files.Inside));
    }

    [Fact]
    public void Directories_NeedsAtLeastOne()
    {
        Assert.Throws<ArgumentException>(() => FollowPolicy.Directories());
        Assert.Throws<ArgumentException>(() => FollowPolicy.Directories(""));
        Assert.Throws<ArgumentNullException>(() => FollowPolicy.Directories(null!));
        Assert.Throws<ArgumentNullException>(() => FollowPolicy.FromResolver(null!));
    }

    [Fact]
    public void Trusted_OpensAnything()
    {
        string below = _files.WriteOutside("base.raw", ChainFiles.RawDisk);
        foreach (string name in new[] { below, "../outside/base.raw", "file:../outside/base.raw" })
        {
            _files.WriteTop(name);
            _files.CheckOpens(FollowPolicy.Trusted);
        }
    }

    [Fact]
    public void Trusted_NamesTheMissingFile()
    {
        _files.WriteTop("../outside/missing.raw");
        _files.CheckRefused("it does not exist", FollowPolicy.Trusted);
    }

    [Fact]
    public void Resolver_GetsTheNameAsRecorded()
    {
        List<NamedFile> asked = [];
        _files.WriteTop("json:{\"x\":1}\n", "raw");
        _files.CheckOpens(FollowPolicy.FromResolver(file =>
        {
            asked.Add(file);
            return new MemoryStream(ChainFiles.RawDisk);
        }));
        Assert.Equal([new NamedFile { Kind = NamedFileKind.BackingFile, Name = "json:{\"x\":1}\n", Format = "raw", ImagePath = _files.Top }], asked);
    }

    [Fact]
    public void Resolver_IsAskedOnceALayer()
    {
        Dictionary<string, byte[]> store = new()
        {
            ["middle"] = ChainFiles.Overlay("base"),
            ["base"] = ChainFiles.RawDisk,
        };
        List<NamedFile> asked = [];
        Qcow2OpenOptions options = new()
        {
            Follow = FollowPolicy.FromResolver(file =>
            {
                asked.Add(file);
                return new MemoryStream(store[file.Name]);
            }),
        };
        using var chain = Qcow2Chain.Open(new MemoryStream(ChainFiles.Overlay("middle", "qcow2")), options);
        Assert.Equal([new NamedFile { Kind = NamedFileKind.BackingFile, Name = "middle", Format = "qcow2", ImagePath = null }, new NamedFile { Kind = NamedFileKind.BackingFile, Name = "base", Format = "raw", ImagePath = null }], asked);
        Assert.Equal([null, null, null], chain.Layers.Select(layer => layer.Path));
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
    }

    [Fact]
    public void ResolverThatReturnsNull_Refuses()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        _files.CheckRefused("the caller's resolver (FollowPolicy.FromResolver) refused it", FollowPolicy.FromResolver(_ => null));
    }

    [Fact]
    public void ResolverThatCannotOpen_IsTheCause()
    {
        _files.WriteTop("base.raw");
        IOException cause = new("the store is down\n");
        NamedFileException error = _files.CheckRefused(
            @"it can't be opened: the store is down\u000a", FollowPolicy.FromResolver(_ => throw cause));
        Assert.Same(cause, error.InnerException);
    }

    [Fact]
    public void ResolversOwnException_IsNotHidden()
    {
        _files.WriteTop("base.raw");
        Qcow2OpenOptions options = new() { Follow = FollowPolicy.FromResolver(_ => throw new InvalidTimeZoneException()) };
        Assert.Throws<InvalidTimeZoneException>(() => Qcow2Chain.Open(_files.Top, options));
    }

    [Fact]
    public void TopFromAStream_OpensNothingByDefault()
    {
        _files.WriteInside("base.raw", ChainFiles.RawDisk);
        _files.WriteTop("base.raw");
        using FileStream stream = File.OpenRead(_files.Top);
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(stream, new() { LeaveOpen = true }));
        Assert.Contains("no file that an image names is opened (to allow it: Follow = FollowPolicy.SameDirectory)", error.Message, StringComparison.Ordinal);

        using var chain = Qcow2Chain.Open(stream, new() { Follow = FollowPolicy.SameDirectory });
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
    }

    [Fact]
    public void StreamWithoutAName_HasNoDirectory()
    {
        Qcow2OpenOptions options = new() { Follow = FollowPolicy.SameDirectory };
        var error = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(new MemoryStream(ChainFiles.Overlay("base.raw")), options));
        Assert.Contains("it was opened from a stream", error.Message, StringComparison.Ordinal);
        Assert.Contains("the chain: (stream) -> base.raw", error.Message, StringComparison.Ordinal);
        Assert.Contains("Follow = FollowPolicy.", error.Message, StringComparison.Ordinal);
        Assert.Null(error.ImagePath);
    }

    [Fact]
    public void FileStreamWithoutAName_HasNoDirectory()
    {
        _files.WriteTop("base.raw");
        using var handle = File.OpenHandle(_files.Top);
        using Microsoft.Win32.SafeHandles.SafeFileHandle nameless = new(handle.DangerousGetHandle(), ownsHandle: false);
        using FileStream stream = new(nameless, FileAccess.Read);
        var error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(stream, new() { Follow = FollowPolicy.SameDirectory }));
        Assert.Contains("it was opened from a stream", error.Message, StringComparison.Ordinal);
        Assert.Null(error.ImagePath);
    }
}
