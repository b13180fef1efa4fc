using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Which addresses an image on a server may make this process ask: judged by the name, before anything is asked.</summary>
public sealed class RemotePolicyTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly TempDirectory _otherDirectory = new();
    private readonly WebServer _server;
    private readonly WebServer _other;

    public RemotePolicyTests()
    {
        _server = new WebServer(_directory.Path);
        _other = new WebServer(_otherDirectory.Path);
        foreach (string file in new[] { "in/base.raw", "in/sub/base.raw", "in/a b?c%d#e.raw", "in/a\\b.raw", "in/a;b=..raw", "in/..a;/..b. .raw", "in/100% \u00e9 %41%zz.raw", "base.raw", "in-not/base.raw" })
        {
            _directory.Write(file, ChainFiles.RawDisk);
        }

        _otherDirectory.Write("in/base.raw", ChainFiles.RawDisk);
    }

    private Uri Top => _server.AddressOf("in/top.qcow2");

    public void Dispose()
    {
        _server.Dispose();
        _other.Dispose();
        _directory.Dispose();
        _otherDirectory.Dispose();
    }

    [Theory]
    [InlineData("base.raw")]
    [InlineData("./base.raw")]
    [InlineData("sub/base.raw")]
    [InlineData("sub/../base.raw")]
    [InlineData("a b?c%d#e.raw")]
    [InlineData("a;b=..raw")]
    [InlineData("..a;/..b. .raw")]
    [InlineData("100% \u00e9 %41%zz.raw")]
    [InlineData("sub//base.raw")]
    [InlineData("SERVER/in/base.raw")]
    [InlineData("SERVER/in/sub/../base.raw")]
    [InlineData("json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"base.raw\"}}")]
    public async Task FileBesideOrBelow_IsOpened(string name)
    {
        WriteTop(name);
        using Qcow2Chain chain = await Qcow2Chain.OpenAsync(Top);
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        using Qcow2Chain again = Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.SameDirectory });
        Assert.Equal(ChainFiles.RawDisk, again.ReadWholeDisk());
    }

    [Theory]
    [InlineData("../base.raw", "lies outside")]
    [InlineData("sub/../../base.raw", "lies outside")]
    [InlineData("../in-not/base.raw", "lies outside")]
    [InlineData("SERVER/base.raw", "lies outside")]
    [InlineData("SERVER/in/base.raw?query", "lies outside")]
    [InlineData("SERVER/in/%2e%2e/base.raw", "lies outside")]
    [InlineData("SERVER/in/..%2fbase.raw", "lies outside")]
    [InlineData("SERVER/in/..%5Cbase.raw", "lies outside")]
    [InlineData("..;/base.raw", "lies outside")]
    [InlineData("sub/..;a=b/..;/base.raw", "lies outside")]
    [InlineData("SERVER/in/..;/base.raw", "lies outside")]
    [InlineData("SERVER/in/..%3b/base.raw", "lies outside")]
    [InlineData("SERVER/in/%2e%2e;x/base.raw", "lies outside")]
    [InlineData("%2e%2e/base.raw", "lies outside")]
    [InlineData("%252e%252e/base.raw", "lies outside")]
    [InlineData("%25252e%25252e%25252fbase.raw", "lies outside")]
    [InlineData("SERVER/in/%252e%252e/base.raw", "lies outside")]
    [InlineData("SERVER/in/%252e./base.raw", "lies outside")]
    [InlineData("SERVER/in/.%2525252525252525252525252e/base.raw", "lies outside")]
    [InlineData("SERVER/in/sub%252fx", "lies outside")]
    [InlineData("SERVER/in/%c0%ae%c0%ae/base.raw", "lies outside")]
    [InlineData("SERVER/in/..%c0%afbase.raw", "lies outside")]
    [InlineData("SERVER/in/%u002e%u002e/base.raw", "lies outside")]
    [InlineData("%uff0e%uff0e/base.raw", "lies outside")]
    [InlineData("\uFF0E\uFF0E/base.raw", "lies outside")]
    [InlineData("\u2025/base.raw", "lies outside")]
    [InlineData("..\uFF0Fbase.raw", "lies outside")]
    [InlineData(".. /base.raw", "lies outside")]
    [InlineData("SERVER/in/..%20/base.raw", "lies outside")]
    [InlineData("SERVER/in/.../base.raw", "lies outside")]
    [InlineData("SERVER/in/base.raw%00", "lies outside")]
    [InlineData("SERVER/in/base.raw%250d%250aHost:%20x", "lies outside")]
    [InlineData("..\\base.raw", "lies outside")]
    [InlineData("OTHER/in/base.raw", "lies outside")]
    [InlineData("a\\b.raw", "lies outside")]
    [InlineData("/in/base.raw", "path of a file of this host")]
    [InlineData("/etc/passwd", "path of a file of this host")]
    [InlineData("//localhost/in/base.raw", "path of a file of this host")]
    [InlineData("file:base.raw", "'file:'")]
    [InlineData("file:///etc/passwd", "'file:'")]
    [InlineData("ftp://localhost/in/base.raw", "'ftp:'")]
    [InlineData("nbd:unix:/run/nbd", "'nbd:'")]
    [InlineData("http://user@localhost/in/base.raw", "'http:'")]
    [InlineData("http://", "'http:'")]
    public async Task OtherFile_IsRefusedUnasked(string name, string reason)
    {
        WriteTop(name);
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        NamedFileException asyncError = await Assert.ThrowsAsync<NamedFileException>(() => Qcow2Chain.OpenAsync(Top));
        Assert.Equal(error.Message, asyncError.Message);
        Assert.All(_server.Requests, r => Assert.Equal("/in/top.qcow2", r.Path));
        Assert.Empty(_other.Requests);
    }

    [Fact]
    public void MissingFile_SaysSoWithTheChain()
    {
        WriteTop("missing.raw");
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains($"it does not exist; the chain: {Top} -> missing.raw", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void None_OpensNothing()
    {
        WriteTop("base.raw");
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.None }));
        Assert.All(_server.Requests, r => Assert.Equal("/in/top.qcow2", r.Path));
    }

    [Fact]
    public void Directories_AreOfThisHostAndAllowNoServer()
    {
        WriteTop("base.raw");
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Directories(_directory.Path) }));
    }

    [Theory]
    [InlineData("../base.raw")]
    [InlineData("OTHER/in/base.raw")]
    public void Trusted_AsksAnyServer(string name)
    {
        WriteTop(name);
        using Qcow2Chain chain = Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted });
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
    }

    [Fact]
    public void Trusted_OpensNoFileOfThisHost()
    {
        WriteTop(_directory.File("base.raw"));
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted }));
    }

    [Fact]
    public void Addresses_OpenWhatIsThereOrBelow()
    {
        FollowPolicy policy = FollowPolicy.Addresses(_other.AddressOf("in/"), _server.AddressOf("in/sub/"));
        foreach ((string name, bool allowed) in new[] { ("OTHER/in/base.raw", true), ("sub/base.raw", true), ("base.raw", false), ("../base.raw", false) })
        {
            WriteTop(name);
            Exception? error = Record.Exception(() => Qcow2Chain.Open(Top, new() { Follow = policy }).Dispose());
            Assert.Equal(allowed, error is null);
        }

        Assert.Throws<ArgumentException>(() => FollowPolicy.Addresses());
        Assert.Throws<ArgumentException>(() => FollowPolicy.Addresses(new Uri("ftp://localhost/")));
        Assert.Throws<ArgumentException>(() => FollowPolicy.Addresses(new Uri("http://localhost/?a")));
        Assert.Throws<ArgumentException>(() => FollowPolicy.Addresses(new Uri("in/", UriKind.Relative)));
    }

    [Fact]
    public void AnyOf_OpensWhatEachOfThemOpens()
    {
        FollowPolicy policy = FollowPolicy.AnyOf(FollowPolicy.SameDirectory, FollowPolicy.Addresses(_other.AddressOf("in/")));
        foreach ((string name, bool allowed) in new[] { ("OTHER/in/base.raw", true), ("base.raw", true), ("../base.raw", false), ("OTHER/in/base.raw?query", false) })
        {
            WriteTop(name);
            Exception? error = Record.Exception(() => Qcow2Chain.Open(Top, new() { Follow = policy }).Dispose());
            Assert.Equal(allowed, error is null);
        }

        string local = _directory.Write("in/local.qcow2", ChainFiles.Overlay("../base.raw"));
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(local, new() { Follow = policy }));
        FollowPolicy more = FollowPolicy.AnyOf(policy, FollowPolicy.Directories(_directory.Path));
        using Qcow2Chain chain = Qcow2Chain.Open(local, new() { Follow = more });
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
    }

    [Fact]
    public void AnyOf_TakesNoPolicyThatStandsAlone()
    {
        foreach (FollowPolicy policy in new[] { FollowPolicy.None, FollowPolicy.Trusted, FollowPolicy.FromResolver(_ => null), null! })
        {
            Assert.Throws<ArgumentException>(() => FollowPolicy.AnyOf(FollowPolicy.SameDirectory, policy));
        }

        Assert.Throws<ArgumentException>(() => FollowPolicy.AnyOf());
        Assert.Throws<ArgumentNullException>(() => FollowPolicy.AnyOf(null!));
    }

    [Theory]
    [InlineData("OTHER/in/base.raw?query")]
    [InlineData("OTHER/in/..%2fbase.raw")]
    public void AddressThatNoDirectoryAllows_IsAllowedByTrustAlone(string name)
    {
        WriteTop(name);
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains("(to allow it: Follow = FollowPolicy.Trusted)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddressesAreNoDirectories_OfThisHost()
    {
        string top = _directory.Write("in/local.qcow2", ChainFiles.Overlay("base.raw"));
        NamedFileException error = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(top, new() { Follow = FollowPolicy.Addresses(_server.Root) }));
        Assert.Contains("a file of this host", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ImageOnDisk_NamesNoServer()
    {
        string top = _directory.Write("in/local.qcow2", ChainFiles.Overlay(_server.AddressOf("in/base.raw").ToString()));
        foreach (FollowPolicy policy in new[] { FollowPolicy.SameDirectory, FollowPolicy.Trusted, FollowPolicy.Addresses(_server.Root) })
        {
            Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(top, new() { Follow = policy }));
        }

        Assert.Empty(_server.Requests);
    }

    [Fact]
    public void DataFile_IsTakenFromTheImagesDirectory()
    {
        using WebServer images = new(Path.GetDirectoryName(Repository.Image("."))!);
        using Qcow2Chain remote = Qcow2Chain.Open(images.AddressOf("data-file.qcow2"));
        Assert.Equal(images.AddressOf("data-file.raw").ToString(), remote.Layers[0].DataPath);
        NamedFileException error = Assert.Throws<NamedFileException>(
            () => Qcow2Chain.Open(images.AddressOf("data-file.qcow2"), new() { Follow = FollowPolicy.None }));
        Assert.Contains("data file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loop_IsFound()
    {
        _directory.Write("in/top.qcow2", ChainFiles.Overlay("sub/../top.qcow2", "qcow2"));
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains("loops", error.Message, StringComparison.Ordinal);
    }

    private void WriteTop(string backingFile)
    {
        string name = backingFile
            .Replace("SERVER", _server.Root.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace("OTHER", _other.Root.ToString().TrimEnd('/'), StringComparison.Ordinal);
        _directory.Write("in/top.qcow2", ChainFiles.Overlay(name));
    }
}
