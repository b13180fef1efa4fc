using Qcow2Stream.Tests.Cli;
using Qcow2Stream.Tests.Follow;
using Qcow2Stream.Tests.Infrastructure;

namespace Qcow2Stream.Tests.Remote;

/// <summary>Addresses in place of files on the command line.</summary>
public sealed class RemoteCliTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly WebServer _server = new(Path.GetDirectoryName(Repository.Image("."))!);

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("dump-map", "chain-3.qcow2")]
    [InlineData("dump-map", "--output", "human", "v2.qcow2")]
    [InlineData("check", "zlib.qcow2")]
    [InlineData("dump-header", "snapshots.qcow2")]
    [InlineData("df", "ext4.qcow2")]
    [InlineData("ls", "ext4.qcow2", "/")]
    [InlineData("changes", "snapshots.qcow2", "--from", "depth:0", "--to", "active")]
    public async Task Command_SaysOfAnAddressWhatItSaysOfTheFile(params string[] arguments)
    {
        QemuResult file = await Qcow2Tool.Run([.. arguments.Select(a => IsImage(a) ? Repository.Image(a) : a)]);
        QemuResult address = await Qcow2Tool.Run([.. arguments.Select(a => IsImage(a) ? _server.AddressOf(a).ToString() : a)]);
        string images = Path.GetDirectoryName(Repository.Image("."))! + "/";
        Assert.Equal(file.Output.Replace(images, _server.Root.ToString(), StringComparison.Ordinal), address.Output);
        Assert.Equal((0, ""), (address.ExitCode, address.Error));
    }

    [Fact]
    public async Task Read_GivesTheDisk()
    {
        using var chain = Qcow2Chain.Open(Repository.Image("zstd.qcow2"));
        Assert.Equal(chain.ReadWholeDisk(), await Qcow2Tool.RunForBytes("read", _server.AddressOf("zstd.qcow2").ToString()));
    }

    [Fact]
    public async Task Info_NamesTheBackingFileByItsAddress()
    {
        QemuResult result = await Qcow2Tool.Run("info", "--backing-chain", _server.AddressOf("chain-3.qcow2").ToString());
        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"{_server.Root}chain-2.qcow2", result.Output, StringComparison.Ordinal);
        Assert.Contains($"{_server.Root}chain-0.raw", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderFile_IsSentAndItsFaultsAreToldWithoutIt()
    {
        List<string> seen = [];
        _server.Before = context =>
        {
            seen.Add(context.Request.Headers.Authorization.ToString());
            return Task.FromResult(false);
        };
        string address = _server.AddressOf("v2.qcow2").ToString();
        string headers = _directory.Write("headers", "Authorization: Bearer a:b\n\nX-Other: 1\n"u8);
        Assert.Equal(0, (await Qcow2Tool.Run("info", address, "--header-file", headers)).ExitCode);
        Assert.Equal(["Bearer a:b"], seen.Distinct());
    }

    [Theory]
    [InlineData("secret word", 1)]
    [InlineData("A: secret\na: secret", 2)]
    [InlineData("\n\nA: 1\n\nB secret: secret", 5)]
    [InlineData("Range : bytes=0-1", 1)]
    [InlineData("\nrange: bytes=0-1", 2)]
    [InlineData("Content-Type: secret", 1)]
    [InlineData(": secret", 1)]
    [InlineData("A: s\u00e9cret", 1)]
    public async Task HeaderThatCannotBeSent_IsAnErrorThatNamesItsLineOnly(string headers, int line)
    {
        string file = _directory.Write("bad", System.Text.Encoding.UTF8.GetBytes(headers));
        QemuResult result = await Qcow2Tool.Run("info", _server.AddressOf("v2.qcow2").ToString(), "--header-file", file);
        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
        Assert.Contains($"bad: line {line} ", result.Error, StringComparison.Ordinal);
        Assert.Contains("Name: value", result.Error, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
    }

    [Theory]
    [InlineData("info", "")]
    [InlineData("dump-map", "")]
    [InlineData("ls", "", "/")]
    public async Task EmptyImage_IsWrongUsage(params string[] arguments)
    {
        QemuResult result = await Qcow2Tool.Run(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"qcow2: IMAGE is empty; a name is needed\nqcow2: see 'qcow2 {arguments[0]} --help'\n", result.Error);
    }

    [Fact]
    public async Task Faults_AreOneLineEach()
    {
        foreach (string address in new[] { _server.AddressOf("missing.qcow2").ToString(), "http://name:word@localhost/disk.qcow2", "http://" })
        {
            QemuResult result = await Qcow2Tool.Run("info", address);
            Assert.Equal(1, result.ExitCode);
            Assert.StartsWith("qcow2: ", result.Error, StringComparison.Ordinal);
            Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
            Assert.DoesNotContain("word", result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Follow_TakesAnAddress()
    {
        _directory.Write("in/top.qcow2", ChainFiles.Overlay("../base.raw"));
        _directory.Write("base.raw", ChainFiles.RawDisk);
        using WebServer server = new(_directory.Path);
        string top = server.AddressOf("in/top.qcow2").ToString();
        QemuResult refused = await Qcow2Tool.Run("dump-map", top);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"--follow here --follow {server.Root}, or", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await Qcow2Tool.Run("dump-map", top, "--follow", server.Root.ToString())).ExitCode);
        Assert.Equal(2, (await Qcow2Tool.Run("dump-map", top, "--follow", server.Root + "?query")).ExitCode);
    }

    [Theory]
    [InlineData("here", false)]
    [InlineData("public", false)]
    [InlineData(null, false)]
    [InlineData("anywhere", true)]
    public async Task FollowRedirects_IsTheChoiceThatARefusalNames(string? choice, bool isFollowed)
    {
        using WebServer other = new(Path.GetDirectoryName(Repository.Image("."))!);
        _server.Before = context =>
        {
            context.Response.Redirect(other.AddressOf("v2.qcow2").ToString());
            return Task.FromResult(true);
        };
        string[] options = choice is null ? [] : ["--follow-redirects", choice];
        QemuResult result = await Qcow2Tool.Run(["info", _server.AddressOf("v2.qcow2").ToString(), .. options]);
        Assert.Equal(isFollowed ? 0 : 1, result.ExitCode);
        Assert.Equal(isFollowed, other.Requests.Count > 0);
        if (!isFollowed)
        {
            Assert.Contains("(to allow it: --follow-redirects anywhere)", result.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AdviceOfARefusal_OpensTheChain()
    {
        // Each layer is found by what the refusal before said: below, redirected to another server, and from there to a signed address.
        using TempDirectory mirror = new();
        using WebServer mirrorServer = new(mirror.Path);
        mirror.Write("store/base.raw", ChainFiles.RawDisk);
        _directory.Write("in/top.qcow2", ChainFiles.Overlay("middle.qcow2", "qcow2"));
        _directory.Write("in/middle.qcow2", ChainFiles.Overlay("../other/base.raw"));
        using WebServer server = new(_directory.Path);
        server.Before = context =>
        {
            bool isMoved = context.Request.Path.Value == "/other/base.raw";
            if (isMoved)
            {
                context.Response.Redirect(mirrorServer.AddressOf("store/base.raw?signature=1").ToString());
            }

            return Task.FromResult(isMoved);
        };
        string top = server.AddressOf("in/top.qcow2").ToString();
        string[] options = [];
        for (int step = 0; step < 2; step++)
        {
            QemuResult refused = await Qcow2Tool.Run(["dump-map", top, .. options]);
            Assert.Equal(1, refused.ExitCode);
            string advice = refused.Error[refused.Error.IndexOf("--follow", StringComparison.Ordinal)..];
            options = advice[..advice.IndexOf(", or", StringComparison.Ordinal)].Split(' ');
        }

        Assert.Equal(["--follow", "here", "--follow", $"{server.Root}other/", "--follow", $"{mirrorServer.Root}store/"], options);
        QemuResult opened = await Qcow2Tool.Run(["dump-map", top, .. options]);
        Assert.Equal((0, ""), (opened.ExitCode, opened.Error));
    }

    [Fact]
    public async Task Follow_CombinesPlacesOnDisk()
    {
        string top = _directory.Write("in/top.qcow2", ChainFiles.Overlay("middle.qcow2", "qcow2"));
        _directory.Write("in/middle.qcow2", ChainFiles.Overlay(_directory.Write("out/base.raw", ChainFiles.RawDisk)));
        QemuResult refused = await Qcow2Tool.Run("dump-map", top);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("(to allow it: --follow DIR or --follow anywhere; for more than one place: --follow here --follow DIR)", refused.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await Qcow2Tool.Run("dump-map", top, "--follow", _directory.File("out"))).ExitCode);
        Assert.Equal(0, (await Qcow2Tool.Run("dump-map", top, "--follow", "here", "--follow", _directory.File("out"))).ExitCode);
    }

    [Theory]
    [InlineData("none", "here")]
    [InlineData("/tmp", "anywhere")]
    [InlineData("none", "none")]
    [InlineData("here", "")]
    public async Task FollowThatStandsAlone_IsWrongUsageBesideOthers(string first, string second)
    {
        QemuResult result = await Qcow2Tool.Run("info", "disk.qcow2", "--follow", first, "--follow", second);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("qcow2: --follow n", result.Error, StringComparison.Ordinal);
    }

    private static bool IsImage(string argument) => argument.EndsWith(".qcow2", StringComparison.Ordinal);
}
