using System.Net;
using System.Net.Sockets;
using System.Text;
using Qcow2Stream.Tests.Cli;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Remote;
using Qcow2Stream.Tests.Snapshots;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>qcow2 serve, the program: what it opens, says and leaves behind.</summary>
public sealed class ServeCommandTests : IDisposable
{
    private static readonly string Image = Repository.Image("chain-3.qcow2");

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [NbdFact]
    public async Task Socket_IsForItsUserAloneAndGoneAtTheEnd()
    {
        string path = _directory.File("a b#?.sock");
        await using ServeProcess server = await ServeProcess.Start(Image, "--socket", path);
        Assert.Equal($"nbd+unix:///?socket={_directory.Path}/a%20b%23%3F.sock", server.Uri);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        using var chain = Qcow2Chain.Open(Image);
        Assert.Equal(chain.ReadWholeDisk(), await NbdTools.Copy(server.Uri, _directory));
        server.Signal(Signals.Terminate);
        Assert.Equal((0, ""), await server.End());
        Assert.False(Path.Exists(path));
    }

    [NbdFact]
    public async Task Port_IsThatOfTheLoopbackInterface()
    {
        await using ServeProcess server = await ServeProcess.Start(Image, "--port", "0");
        Assert.StartsWith("nbd://127.0.0.1:", server.Uri, StringComparison.Ordinal);
        Assert.Equal($"{96 << 10}\n", await NbdTools.Run("nbdinfo", "--size", server.Uri));
        server.Signal(Signals.Interrupt);
        Assert.Equal((0, ""), await server.End());
    }

    [NbdFact]
    public async Task ChainOptions_ApplyAsEverywhere()
    {
        string secret = _directory.Write("secret", Encoding.UTF8.GetBytes(PinnedImages.Passphrase));
        using WebServer web = new(Path.GetDirectoryName(Image)!);
        foreach ((string name, string[] options, Qcow2OpenOptions opened) in ((string, string[], Qcow2OpenOptions)[])
        [
            ("snapshots.qcow2", ["--snapshot", "first"], new Qcow2OpenOptions { Snapshot = "first" }),
            ("aes.qcow2", ["--secret-file", secret], new Qcow2OpenOptions { Passphrase = _ => File.ReadAllBytes(secret) }),
            ("chain-3.qcow2", [], new Qcow2OpenOptions()),
        ])
        {
            using var chain = Qcow2Chain.Open(Repository.Image(name), opened);
            byte[] expected = chain.ReadWholeDisk();
            foreach (string image in (string[])[Repository.Image(name), web.AddressOf(name).ToString()])
            {
                await using ServeProcess server = await ServeProcess.Start([image, "--port", "0", .. options]);
                Assert.Equal(expected, await NbdTools.Copy(server.Uri, _directory));
            }
        }
    }

    [NativeFact]
    public async Task NativeBinary_Serves()
    {
        string path = _directory.File("socket");
        await using ServeProcess server = await ServeProcess.StartNative(Image, "--socket", path);
        using var chain = Qcow2Chain.Open(Image);
        Assert.Equal(chain.ReadWholeDisk(), await NbdTools.Copy(server.Uri, _directory));
        Assert.Equal(await StatusMap.OfFile(Image), await StatusMap.OfServer("base:allocation", server.Uri));
        server.Signal(Signals.Terminate);
        Assert.Equal((0, ""), await server.End());
        Assert.False(Path.Exists(path));
    }

    [Theory]
    [InlineData("--socket PATH or --port N")]
    [InlineData("--socket PATH or --port N", "--socket", "a", "--port", "0")]
    [InlineData("--socket is empty", "--socket", "")]
    [InlineData("--bind needs --port", "--socket", "a", "--bind", "127.0.0.1")]
    [InlineData("from 0 to 65535", "--port", "65536")]
    [InlineData("from 0 to 65535", "--port", "-1")]
    [InlineData("from 1 to", "--port", "0", "--max-connections", "0")]
    [InlineData("an IP address", "--port", "0", "--bind", "localhost")]
    public async Task WrongUsage_IsRefused(string message, params string[] options)
    {
        QemuResult result = await Qcow2Tool.Run(["serve", Image, .. options]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Fact]
    public async Task WhatIsThere_IsNeverTouched()
    {
        string path = _directory.Write("file", [1, 2, 3]);
        QemuResult result = await Qcow2Tool.Run("serve", Image, "--socket", path);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("is there already: remove it", result.Error, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
    }

    [Fact]
    public async Task SocketThatCannotBeMade_IsAFailure()
    {
        QemuResult tooLong = await Qcow2Tool.Run("serve", Image, "--socket", _directory.File(new string('x', 200)));
        Assert.Equal(1, tooLong.ExitCode);
        Assert.Contains("name a shorter one", tooLong.Error, StringComparison.Ordinal);

        QemuResult nowhere = await Qcow2Tool.Run("serve", Image, "--socket", _directory.File("none/socket"));
        Assert.Equal(1, nowhere.ExitCode);
        Assert.Equal($"qcow2: there is no directory {_directory.File("none")} for the socket\n", nowhere.Error);
    }

    [Fact]
    public async Task PortInUse_IsAFailure()
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        QemuResult result = await Qcow2Tool.Run("serve", Image, "--port", $"{((IPEndPoint)other.LocalEndPoint!).Port}");
        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith("qcow2: cannot listen on port ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingPassphrase_IsKnownAtTheStart()
    {
        QemuResult none = await Qcow2Tool.Run("serve", Repository.Image("aes.qcow2"), "--port", "0");
        Assert.Equal((1, ""), (none.ExitCode, none.Output));
        Assert.Contains("--secret-file", none.Error, StringComparison.Ordinal);

        string luks = PinnedImages.PathOf("luks", _directory);
        QemuResult wrong = await Qcow2Tool.Run("serve", luks, "--port", "0", "--secret-file", _directory.Write("wrong", [1, 2, 3]));
        Assert.Equal((1, ""), (wrong.ExitCode, wrong.Output));
        Assert.Contains("passphrase", wrong.Error, StringComparison.Ordinal);
    }
}
