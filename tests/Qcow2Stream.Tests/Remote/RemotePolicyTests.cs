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
        foreach (string file in new[] { "in/base.raw", "in/sub/base.raw", "in/a b?c%d#e.raw", "in/a\\b.raw", "base.raw", "in-not/base.raw" })
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
        BackingFileException error = Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        BackingFileException asyncError = await Assert.ThrowsAsync<BackingFileException>(() => Qcow2Chain.OpenAsync(Top));
        Assert.Equal(error.Message, asyncError.Message);
        Assert.All(_server.Requests, r => Assert.Equal("/in/top.qcow2", r.Path));
        Assert.Empty(_other.Requests);
    }

    [Fact]
    public void MissingFile_SaysSoWithTheChain()
    {
        WriteTop("missing.raw");
        BackingFileException error = Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains($"it does not exist; the chain: {Top} -> missing.raw", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void None_OpensNothing()
    {
        WriteTop("base.raw");
        Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.None }));
        Assert.All(_server.Requests, r => Assert.Equal("/in/top.qcow2", r.Path));
    }

    [Fact]
    public void Directories_AreOfThisHostAndAllowNoServer()
    {
        WriteTop("base.raw");
        Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Directories(_directory.Path) }));
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
        Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted }));
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
    public void AddressesAreNoDirectories_OfThisHost()
    {
        string top = _directory.Write("in/local.qcow2", ChainFiles.Overlay("base.raw"));
        BackingFileException error = Assert.Throws<BackingFileException>(
            () => Qcow2Chain.Open(top, new() { Follow = FollowPolicy.Addresses(_server.Root) }));
        Assert.Contains("a file of this host", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ImageOnDisk_NamesNoServer()
    {
        string top = _directory.Write("in/local.qcow2", ChainFiles.Overlay(_server.AddressOf("in/base.raw").ToString()));
        foreach (FollowPolicy policy in new[] { FollowPolicy.SameDirectory, FollowPolicy.Trusted, FollowPolicy.Addresses(_server.Root) })
        {
            Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(top, new() { Follow = policy }));
        }

        Assert.Empty(_server.Requests);
    }

    [Fact]
    public void DataFile_IsTakenFromTheImagesDirectory()
    {
        using WebServer images = new(Path.GetDirectoryName(Repository.Image("."))!);
        using Qcow2Chain remote = Qcow2Chain.Open(images.AddressOf("data-file.qcow2"));
        Assert.Equal(images.AddressOf("data-file.raw").ToString(), remote.Layers[0].DataPath);
        BackingFileException error = Assert.Throws<BackingFileException>(
            () => Qcow2Chain.Open(images.AddressOf("data-file.qcow2"), new() { Follow = FollowPolicy.None }));
        Assert.Contains("data file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loop_IsFound()
    {
        _directory.Write("in/top.qcow2", ChainFiles.Overlay("sub/../top.qcow2", "qcow2"));
        BackingFileException error = Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains("loops", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RedirectOfTheTop_IsFollowedAndRememberedUntilItFails()
    {
        _directory.Write("in/disk.raw", GuestDisk.Noise(1 << 20, seed: 1));
        int expired = 0;
        _server.Before = context =>
        {
            if (context.Request.Path.Value == "/in/link.raw")
            {
                context.Response.Redirect("/in/disk.raw?signature=" + _server.Requests.Count);
                return Task.FromResult(true);
            }

            context.Response.StatusCode = 403;
            return Task.FromResult(Interlocked.Exchange(ref expired, 0) == 1);
        };
        _server.Headers = response => response.StatusCode = response.StatusCode == 403 && response.ContentLength > 0 ? 206 : response.StatusCode;
        using Qcow2Chain chain = Qcow2Chain.Open(_server.AddressOf("in/link.raw"));
        chain.ReadRange(300_000, 512);
        Assert.Equal(["/in/link.raw", "/in/disk.raw", "/in/disk.raw"], _server.Requests.Select(r => r.Path));
        Assert.Equal(_server.AddressOf("in/link.raw").ToString(), chain.Layers[0].Path);

        _server.Forget();
        expired = 1;
        Assert.Equal(GuestDisk.Noise(1 << 20, seed: 1)[600_000..600_512], chain.ReadRange(600_000, 512));
        Assert.Equal(["/in/disk.raw", "/in/link.raw", "/in/disk.raw"], _server.Requests.Select(r => r.Path));
    }

    [Fact]
    public void RedirectToAnotherServer_IsFollowedForTheTopAndRefusedForWhatItNames()
    {
        WriteTop("away.raw");
        _server.Before = context =>
        {
            bool isAway = context.Request.Path.Value!.EndsWith("away.raw", StringComparison.Ordinal);
            if (isAway)
            {
                context.Response.Redirect(_other.AddressOf("in/base.raw").ToString());
            }

            return Task.FromResult(isAway);
        };
        BackingFileException error = Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains("lies outside", error.Message, StringComparison.Ordinal);
        Assert.Empty(_other.Requests);
        using Qcow2Chain top = Qcow2Chain.Open(_server.AddressOf("in/away.raw"));
        Assert.Equal(ChainFiles.RawDisk, top.ReadWholeDisk());
        using Qcow2Chain trusted = Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted });
        Assert.Equal(ChainFiles.RawDisk, trusted.ReadWholeDisk());
    }

    [Fact]
    public void RedirectsWithoutEnd_AreAnError()
    {
        _server.Before = context =>
        {
            context.Response.Redirect("/in/base.raw?" + _server.Requests.Count);
            return Task.FromResult(true);
        };
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(_server.AddressOf("in/base.raw")));
        Assert.Contains("redirects more than 10 times", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://localhost/in/base.raw")]
    public void RedirectToAnotherScheme_IsNotFollowed(string location)
    {
        _server.Before = context =>
        {
            context.Response.Redirect(location);
            return Task.FromResult(true);
        };
        Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(_server.AddressOf("in/base.raw")));
    }

    [Fact]
    public void Headers_GoToTheServerThatWasOpenedAndNoOther()
    {
        List<string> seen = [];
        List<string> seenElsewhere = [];
        _server.Before = context =>
        {
            seen.Add(context.Request.Headers.Authorization.ToString());
            bool isAway = context.Request.Path.Value!.EndsWith("away.raw", StringComparison.Ordinal);
            if (isAway)
            {
                context.Response.Redirect(_other.AddressOf("in/base.raw").ToString());
            }

            return Task.FromResult(isAway);
        };
        _other.Before = context =>
        {
            seenElsewhere.Add(context.Request.Headers.Authorization.ToString());
            return Task.FromResult(false);
        };
        Dictionary<string, string> headers = new() { ["Authorization"] = "Bearer secret" };
        WriteTop("away.raw");
        using Qcow2Chain chain = Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted, Http = new() { Headers = headers } });
        Assert.Equal(["Bearer secret", "Bearer secret"], seen);
        Assert.Equal([""], seenElsewhere);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HandlerOfTheCallers_SendsHeadersToNoOtherServer(bool async)
    {
        List<string> seen = [];
        List<string> seenElsewhere = [];
        _server.Before = context =>
        {
            seen.Add(context.Request.Headers["X-Api-Key"].ToString());
            context.Response.Redirect(_other.AddressOf("in/base.raw").ToString());
            return Task.FromResult(true);
        };
        _other.Before = context =>
        {
            seenElsewhere.Add(context.Request.Headers["X-Api-Key"].ToString());
            return Task.FromResult(false);
        };
        using SocketsHttpHandler sockets = new() { AllowAutoRedirect = false };
        using HttpClientHandler client = new() { AllowAutoRedirect = false };
        foreach (HttpMessageHandler handler in new HttpMessageHandler[] { sockets, client, new PassingHandler(sockets) })
        {
            HttpFileOptions http = new() { Handler = handler, Headers = new Dictionary<string, string> { ["X-Api-Key"] = "secret" } };
            Uri address = _server.AddressOf("in/base.raw");
            using Qcow2Chain chain = async
                ? await Qcow2Chain.OpenAsync(address, new() { Http = http })
                : Qcow2Chain.Open(address, new() { Http = http });
            Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        }

        Assert.Equal(["secret", "secret", "secret"], seen);
        Assert.Equal(["", "", ""], seenElsewhere);
    }

    [Fact]
    public void HandlerOfTheCallers_AsksNothingThatThePolicyForbids()
    {
        WriteTop("away.raw");
        _server.Before = context =>
        {
            bool isAway = context.Request.Path.Value!.EndsWith("away.raw", StringComparison.Ordinal);
            if (isAway)
            {
                context.Response.Redirect(_other.AddressOf("in/base.raw").ToString());
            }

            return Task.FromResult(isAway);
        };
        using SocketsHttpHandler handler = new() { AllowAutoRedirect = false };
        Assert.Throws<BackingFileException>(() => Qcow2Chain.Open(Top, new() { Http = new() { Handler = handler } }));
        Assert.Empty(_other.Requests);
    }

    [Fact]
    public void HandlerThatFollowsRedirectsByItself_IsMisuse()
    {
        using SocketsHttpHandler following = new();
        using HttpClientHandler client = new();
        using PassingHandler behind = new(following);
        using PassingHandler none = new(null);
        using UnknownHandler unknown = new();
        foreach (HttpMessageHandler handler in new HttpMessageHandler[] { following, client, behind, none, unknown })
        {
            Assert.Throws<ArgumentException>(() => new HttpFileOptions { Handler = handler });
        }

        // Nor may it be switched on after it was judged.
        using SocketsHttpHandler changing = new() { AllowAutoRedirect = false };
        HttpFileOptions options = new() { Handler = changing };
        changing.AllowAutoRedirect = true;
        Assert.Throws<InvalidOperationException>(() => HostFile.FromUri(Top, options));
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData("//")]
    [InlineData("///")]
    [InlineData("http://")]
    [InlineData("http://[")]
    [InlineData("//:80:80/")]
    [InlineData("https://a b/")]
    public void RedirectToNoAddress_IsAnError(string location)
    {
        _server.Before = context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = location;
            return Task.FromResult(true);
        };
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(_server.AddressOf("in/base.raw")));
        Assert.Contains("the file can't be read from its server", error.Message, StringComparison.Ordinal);
    }

    private void WriteTop(string backingFile)
    {
        string name = backingFile
            .Replace("SERVER", _server.Root.ToString().TrimEnd('/'), StringComparison.Ordinal)
            .Replace("OTHER", _other.Root.ToString().TrimEnd('/'), StringComparison.Ordinal);
        _directory.Write("in/top.qcow2", ChainFiles.Overlay(name));
    }

    private sealed class PassingHandler : DelegatingHandler
    {
        public PassingHandler(HttpMessageHandler? inner)
        {
            if (inner is not null)
            {
                InnerHandler = inner;
            }
        }
    }

    private sealed class UnknownHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
