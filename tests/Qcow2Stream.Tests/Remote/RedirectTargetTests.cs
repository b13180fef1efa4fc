using System.Net;
using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Which addresses are connected to, whatever names mean, and wherever servers redirect to.</summary>
public sealed class RedirectTargetTests : IDisposable
{
    private const string Public = "93.184.216.34";
    private const string Top = "http://images.example/in/away.raw";

    private readonly TempDirectory _directory = new();
    private readonly WebServer _server;
    private readonly FakeNetwork _network;

    public RedirectTargetTests()
    {
        _server = new WebServer(_directory.Path);
        _directory.Write("in/base.raw", ChainFiles.RawDisk);
        _network = new FakeNetwork(_ => _server.Root.Port);
        _network.Name("images.example", Public);
        _network.Name("other.example", "93.184.216.35");
        _network.Name("nas.example", "192.168.1.5");
        _network.Name("inner.example", "10.0.0.1");
        _network.Name("both.example", "10.0.0.1", "93.184.216.36");
    }

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("http://127.0.0.1/in/base.raw")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://localhost/in/base.raw")]
    [InlineData("http://0x7f.1/in/base.raw")]
    [InlineData("http://2130706433/in/base.raw")]
    [InlineData("http://017700000001/in/base.raw")]
    [InlineData("http://0/in/base.raw")]
    [InlineData("http://[::]/in/base.raw")]
    [InlineData("http://[::1]/in/base.raw")]
    [InlineData("http://[::ffff:127.0.0.1]/in/base.raw")]
    [InlineData("http://[64:ff9b::a9fe:a9fe]/in/base.raw")]
    [InlineData("http://[2002:7f00:1::]/in/base.raw")]
    [InlineData("//inner.example/in/base.raw")]
    [InlineData("https://inner.example/in/base.raw")]
    [InlineData("http://inner.example:8080/in/base.raw")]
    [InlineData("http://other.example/in/again.raw")]
    public async Task RedirectToThisHostOrItsNetwork_IsRefusedUnasked(string location)
    {
        Redirect(("away.raw", location), ("again.raw", "http://inner.example/in/base.raw"));
        foreach (bool async in new[] { false, true })
        {
            Qcow2Exception error = await Assert.ThrowsAsync<Qcow2Exception>(() => Open(Top, async));
            Assert.Contains("redirects to a host whose address isn't public (to allow it: FollowRedirects = HttpRedirectPolicy.Any)", error.Message, StringComparison.Ordinal);
            Assert.Equal("FollowRedirects = HttpRedirectPolicy.Any", error.Hint);
        }

        Assert.All(_network.Dialed, address => Assert.StartsWith("93.184.216.", address, StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Requests, r => r.Path.EndsWith("base.raw", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/in/base.raw", Public)]
    [InlineData("http://other.example/in/base.raw", "93.184.216.35")]
    [InlineData("http://both.example/in/base.raw", "93.184.216.36")]
    [InlineData("http://93.184.216.99:8080/in/base.raw", "93.184.216.99")]
    [InlineData("http://[2606:4700::1]/in/base.raw", "2606:4700::1")]
    public async Task RedirectToAPublicAddress_IsFollowedThere(string location, string last)
    {
        Redirect(("away.raw", location));
        foreach (bool async in new[] { false, true })
        {
            using Qcow2Chain chain = await Open(Top, async);
            Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        }

        Assert.Equal(new[] { Public, last }.Distinct(), _network.Dialed.Distinct());
    }

    [Theory]
    [InlineData(HttpRedirectPolicy.SameOrigin, "/in/base.raw", true)]
    [InlineData(HttpRedirectPolicy.SameOrigin, "http://images.example:80/in/base.raw", true)]
    [InlineData(HttpRedirectPolicy.SameOrigin, "http://other.example/in/base.raw", false)]
    [InlineData(HttpRedirectPolicy.SameOrigin, "http://images.example:8080/in/base.raw", false)]
    [InlineData(HttpRedirectPolicy.SameOrigin, "https://images.example/in/base.raw", false)]
    [InlineData(HttpRedirectPolicy.Any, "http://inner.example/in/base.raw", true)]
    [InlineData(HttpRedirectPolicy.Any, "http://127.0.0.1/in/base.raw", true)]
    public async Task Choice_OfTheCallers_Decides(HttpRedirectPolicy policy, string location, bool isFollowed)
    {
        Redirect(("away.raw", location));
        Exception? error = await Record.ExceptionAsync(async () => (await Open(Top, async: true, new() { FollowRedirects = policy })).Dispose());
        Assert.Equal(isFollowed, error is null);
        Assert.Equal(isFollowed ? 2 : 1, _server.Requests.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => new HttpFileOptions { FollowRedirects = (HttpRedirectPolicy)3 });
    }

    [Theory]
    [InlineData("http://nas.example/in/base.raw", "192.168.1.5")]
    [InlineData("http://127.0.0.1/in/base.raw", "127.0.0.1")]
    [InlineData("http://both.example/in/base.raw", "10.0.0.1")]
    public async Task AddressThatIsOpened_MayBeAnywhereUnlessOnlyPublicOnesMay(string address, string dialed)
    {
        foreach (bool async in new[] { false, true })
        {
            using Qcow2Chain chain = await Open(address, async);
            Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        }

        Assert.Equal([dialed], _network.Dialed.Distinct());
        Exception? error = await Record.ExceptionAsync(async () => (await Open(address, async: false, new() { RequirePublicAddresses = true })).Dispose());
        if (address.Contains("both", StringComparison.Ordinal))
        {
            Assert.Null(error);
            Assert.Equal([dialed, "93.184.216.36"], _network.Dialed.Distinct());
        }
        else
        {
            Assert.Contains("address isn't public, which RequirePublicAddresses asks for", Assert.IsType<Qcow2Exception>(error).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/in/base.raw", true)]
    [InlineData("http://other.example/in/base.raw", true)]
    [InlineData("http://nas.example:8080/in/base.raw", false)]
    [InlineData("http://inner.example/in/base.raw", false)]
    public async Task ServerOfThisNetwork_RedirectsToItselfAndToPublicAddresses(string location, bool isFollowed)
    {
        Redirect(("away.raw", location));
        Exception? error = await Record.ExceptionAsync(async () => (await Open("http://nas.example/in/away.raw", async: true)).Dispose());
        Assert.Equal(isFollowed, error is null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NameThatMeansAnotherAddressLater_IsNotConnectedToThere(bool async)
    {
        _directory.Write("in/top.qcow2", ChainFiles.Overlay("base.raw"));
        _server.Headers = response => response.Headers.Connection = "close";
        _server.Before = _ =>
        {
            _network.Name("images.example", "127.0.0.1");
            return Task.FromResult(false);
        };
        Exception error = await Assert.ThrowsAnyAsync<IOException>(() => Open("http://images.example/in/top.qcow2", async));
        Assert.Contains("means an address now that isn't public", error.Message, StringComparison.Ordinal);
        Assert.Equal([Public], _network.Dialed);
        Assert.Equal(["/in/top.qcow2"], _server.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task ConnectionOfAnotherChain_IsNotUsedPastTheJudgement()
    {
        Redirect(("away.raw", "http://inner.example/in/base.raw"));
        using Qcow2Chain anywhere = await Open(Top, async: true, new() { FollowRedirects = HttpRedirectPolicy.Any });
        using Qcow2Chain own = await Open("http://inner.example/in/base.raw", async: true);
        await Assert.ThrowsAsync<Qcow2Exception>(() => Open(Top, async: true));
    }

    [Fact]
    public async Task AddressThatAPolicyNames_IsTheCallersChoice()
    {
        _directory.Write("in/top.qcow2", ChainFiles.Overlay("away.raw"));
        Redirect(("away.raw", "http://inner.example/in/base.raw"));
        FollowPolicy policy = FollowPolicy.AnyOf(FollowPolicy.SameDirectory, FollowPolicy.Addresses(new Uri("http://inner.example/in/")));
        using Qcow2Chain chain = await Qcow2Chain.OpenAsync(_network.File("http://images.example/in/top.qcow2"), new() { Follow = policy });
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        await Assert.ThrowsAsync<NamedFileException>(
            () => Qcow2Chain.OpenAsync(_network.File("http://images.example/in/top.qcow2"), new() { Follow = FollowPolicy.Trusted }));
    }

    [Fact]
    public void HandlerOfTheCallers_IsJudgedByFiguresAlone()
    {
        using SocketsHttpHandler handler = new() { AllowAutoRedirect = false };
        Redirect(("away.raw", $"http://127.0.0.1:{_server.Root.Port}/in/base.raw"));
        Uri address = new($"http://127.0.0.1:{_server.Root.Port}/in/away.raw");
        using (Qcow2Chain same = Qcow2Chain.Open(address, new() { Http = new() { Handler = handler } }))
        {
            Assert.Equal(ChainFiles.RawDisk, same.ReadWholeDisk());
        }

        Redirect(("away.raw", $"http://localhost:{_server.Root.Port}/in/base.raw"));
        Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(address, new() { Http = new() { Handler = handler } }));
    }

    [Fact]
    public void HostWithoutAnAnswer_IsAsMissingAsEver()
    {
        Qcow2Exception error = Assert.Throws<Qcow2Exception>(() => Qcow2Chain.Open(_network.File("http://nowhere.example/")));
        Assert.Contains("nowhere.example", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddressesOfAName_AreTriedInTurn()
    {
        FakeNetwork network = new(address => address.Equals(IPAddress.Parse("93.184.216.41")) ? _server.Root.Port : 0);
        network.Name("images.example", "93.184.216.40", "93.184.216.41");
        using Qcow2Chain chain = Qcow2Chain.Open(network.File("http://images.example/in/base.raw"));
        Assert.Equal(ChainFiles.RawDisk, chain.ReadWholeDisk());
        Assert.Equal(["93.184.216.40", "93.184.216.41"], network.Dialed);
    }

    private async Task<Qcow2Chain> Open(string address, bool async, HttpFileOptions? options = null)
    {
        HttpFileOptions http = (options ?? new()) with { MaxRetries = 0 };
        return async ? await Qcow2Chain.OpenAsync(_network.File(address, http)) : Qcow2Chain.Open(_network.File(address, http));
    }

    private void Redirect(params (string From, string To)[] redirects) => _server.Before = context =>
    {
        string? to = redirects.FirstOrDefault(r => context.Request.Path.Value!.EndsWith(r.From, StringComparison.Ordinal)).To;
        if (to is not null)
        {
            context.Response.Redirect(to);
        }

        return Task.FromResult(to is not null);
    };
}
