using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Where servers redirect this process to, and what each server gets to know on the way.</summary>
public sealed class RemoteRedirectTests : IDisposable
{
    // All servers here are on this host.
    private static readonly HttpFileOptions Anywhere = new() { FollowRedirects = HttpRedirectPolicy.Any };

    private readonly TempDirectory _directory = new();
    private readonly TempDirectory _otherDirectory = new();
    private readonly WebServer _server;
    private readonly WebServer _other;

    public RemoteRedirectTests()
    {
        _server = new WebServer(_directory.Path);
        _other = new WebServer(_otherDirectory.Path);
        _directory.Write("in/base.raw", ChainFiles.RawDisk);
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
        NamedFileException error = Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top));
        Assert.Contains("lies outside", error.Message, StringComparison.Ordinal);
        Assert.Empty(_other.Requests);
        using Qcow2Chain top = Qcow2Chain.Open(_server.AddressOf("in/away.raw"), new() { Http = Anywhere });
        Assert.Equal(ChainFiles.RawDisk, top.ReadWholeDisk());
        using Qcow2Chain trusted = Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted, Http = Anywhere });
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
        using Qcow2Chain chain = Qcow2Chain.Open(Top, new() { Follow = FollowPolicy.Trusted, Http = Anywhere with { Headers = headers } });
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
            HttpFileOptions http = Anywhere with { Handler = handler, Headers = new Dictionary<string, string> { ["X-Api-Key"] = "secret" } };
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
        Assert.Throws<NamedFileException>(() => Qcow2Chain.Open(Top, new() { Http = new() { Handler = handler } }));
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

    private void WriteTop(string backingFile) => _directory.Write("in/top.qcow2", ChainFiles.Overlay(backingFile));

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
