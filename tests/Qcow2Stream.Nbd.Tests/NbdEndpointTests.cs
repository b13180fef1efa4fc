using System.Net;
using System.Net.Sockets;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>Where a server listens, what address clients get, and what is wrong with other places.</summary>
public sealed class NbdEndpointTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void PortAlone_IsThatOfTheLoopbackInterface()
    {
        using NbdServer server = new(ServedImage.Open());
        IPEndPoint address = LocalServer.AddressOf(server.Listen(NbdEndpoint.Tcp(0)));
        Assert.Equal(IPAddress.Loopback, address.Address);
        Assert.NotEqual(0, address.Port);
    }

    [NbdFact]
    public async Task IPv6_IsServed()
    {
        await using NbdServer server = new(ServedImage.Open());
        string address = server.Listen(NbdEndpoint.Tcp(IPAddress.IPv6Loopback, 0));
        Assert.Matches(@"^nbd://\[::1\]:\d+$", address);
        using CancellationTokenSource stop = new();
        Task running = server.RunAsync(stop.Token);
        Assert.Equal($"{ServedImage.Length}\n", await NbdTools.Run("nbdinfo", "--size", address));
        await stop.CancelAsync();
        await running;
    }

    [UnixFact]
    public async Task UnixSocket_IsForThisUserAloneAndGoneAtTheEnd()
    {
        string path = _directory.File("a b#?ä.sock");
        using NbdServer server = new(ServedImage.Open());
        Assert.Equal($"nbd+unix:///?socket={_directory.Path}/a%20b%23%3F%C3%A4.sock", server.Listen(NbdEndpoint.UnixSocket(path)));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        using CancellationTokenSource stop = new();
        Task running = server.RunAsync(stop.Token);
        Assert.True(Path.Exists(path));
        await stop.CancelAsync();
        await running;
        Assert.False(Path.Exists(path));
    }

    [UnixFact]
    public void UnixSocketOfAServerThatNeverRuns_IsGoneToo()
    {
        string path = _directory.File("socket");
        using (NbdServer server = new(ServedImage.Open()))
        {
            server.Listen(NbdEndpoint.UnixSocket(path));
            Assert.True(Path.Exists(path));
        }

        Assert.False(Path.Exists(path));
    }

    /// <summary>Somebody has removed the socket, and its name is something else's now.</summary>
    [UnixFact]
    public async Task NameThatIsNoLongerTheServers_IsLeftAlone()
    {
        foreach (bool runs in new[] { false, true })
        {
            string path = _directory.File("socket");
            await using (NbdServer server = new(ServedImage.Open()))
            {
                server.Listen(NbdEndpoint.UnixSocket(path));
                Task running = runs ? server.RunAsync() : Task.CompletedTask;
                File.Delete(path);
                File.WriteAllBytes(path, [1, 2, 3]);
            }

            Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
            File.Delete(path);
            NbdServer first = new(ServedImage.Open());
            first.Listen(NbdEndpoint.UnixSocket(path));
            File.Delete(path);
            using LocalServer second = new(ServedImage.Open(), path);
            first.Dispose();
            using RawClient client = second.Start();
            Assert.Single(client.Call(RawClient.Read, 0, 512));
        }
    }

    [UnixFact]
    public void RootOfTheFileSystem_IsThereAlready()
    {
        using NbdServer server = new(ServedImage.Open());
        IOException error = Assert.Throws<IOException>(() => server.Listen(NbdEndpoint.UnixSocket("/")));
        Assert.StartsWith("/ is there already", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A file, or the socket of a server that runs: neither is touched, and the server can listen elsewhere.</summary>
    [UnixFact]
    public void WhatIsThereAlready_IsNeverTouched()
    {
        string file = _directory.Write("file", [1, 2, 3]);
        string socket = _directory.File("socket");
        using LocalServer other = new(ServedImage.Open(), socket);
        using NbdServer server = new(ServedImage.Open());
        foreach (string path in (string[])[file, socket, _directory.Path])
        {
            IOException error = Assert.Throws<IOException>(() => server.Listen(NbdEndpoint.UnixSocket(path)));
            Assert.Equal($"{path} is there already: remove it if no server uses it any more, or name another path", error.Message);
        }

        Assert.Equal([1, 2, 3], File.ReadAllBytes(file));
        using RawClient client = other.Start();
        Assert.Single(client.Call(RawClient.Read, 0, 512));
        server.Listen(NbdEndpoint.UnixSocket(_directory.File("another")));
    }

    [UnixFact]
    public void PathWhereNoSocketCanBe_IsRefused()
    {
        using NbdServer server = new(ServedImage.Open());
        Assert.Equal(
            $"there is no directory {_directory.File("none")} for the socket",
            Assert.Throws<DirectoryNotFoundException>(() => server.Listen(NbdEndpoint.UnixSocket(_directory.File("none/socket")))).Message);
        string tooLong = _directory.File(new string('ä', 100));
        PathTooLongException error = Assert.Throws<PathTooLongException>(() => server.Listen(NbdEndpoint.UnixSocket(tooLong)));
        Assert.Contains($"has {tooLong.Length + 100} bytes", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public void PortThatCannotBeHad_IsRefused()
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        using NbdServer server = new(ServedImage.Open());
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;
        IOException inUse = Assert.Throws<IOException>(() => server.Listen(NbdEndpoint.Tcp(port)));
        Assert.StartsWith($"cannot listen on port {port} of 127.0.0.1: ", inUse.Message, StringComparison.Ordinal);

        // An address of the documentation's, and of no machine.
        IOException notOurs = Assert.Throws<IOException>(() => server.Listen(NbdEndpoint.Tcp(IPAddress.Parse("192.0.2.1"), 0)));
        Assert.StartsWith("cannot listen on port 0 of 192.0.2.1: ", notOurs.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WrongArguments_AreMisuse()
    {
        Assert.Throws<ArgumentNullException>(() => NbdEndpoint.UnixSocket(null!));
        Assert.Throws<ArgumentException>(() => NbdEndpoint.UnixSocket(""));
        Assert.Throws<ArgumentException>(() => NbdEndpoint.UnixSocket("\0abstract"));
        Assert.Throws<ArgumentNullException>(() => NbdEndpoint.Tcp(null!, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => NbdEndpoint.Tcp(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => NbdEndpoint.Tcp(IPAddress.Any, 65536));
        using NbdServer server = new(ServedImage.Open());
        Assert.Throws<ArgumentNullException>(() => server.Listen(null!));
        Assert.Throws<ArgumentNullException>(() => new NbdServer(null!));
    }

    [Fact]
    public void Text_IsWhatWasGiven()
    {
        Assert.Equal("127.0.0.1:10809", NbdEndpoint.Tcp(10809).ToString());
        Assert.Equal("[::]:0", NbdEndpoint.Tcp(IPAddress.IPv6Any, 0).ToString());
        Assert.Equal("run/disk.sock", NbdEndpoint.UnixSocket("run/disk.sock").ToString());
    }
}
