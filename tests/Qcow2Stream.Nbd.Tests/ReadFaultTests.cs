using System.Net;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>What can't be read: the server's owner sees everything, and clients see no file of the host.</summary>
public sealed class ReadFaultTests : IDisposable
{
    private const uint Cluster = ServedImage.ClusterSize;
    private const ulong DamagedCluster = ServedImage.DamagedCluster * Cluster;
    private const ulong DamagedEntry = ServedImage.DamagedEntry * Cluster;
    private const ulong Far = 150 * Cluster;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Damage_IsToldToClientsWithoutPaths()
    {
        string path = _directory.Write("the-image.qcow2", ServedImage.Bytes);
        using LocalServer server = new(Qcow2Chain.Open(path));
        using RawClient client = server.Start(contexts: "base:allocation");
        Chunk[] errors =
        [
            client.Call(RawClient.Read, DamagedCluster, Cluster)[^1],
            client.Call(RawClient.Read, DamagedEntry, Cluster)[^1],
            client.Call(RawClient.BlockStatus, DamagedEntry, Cluster)[^1],
        ];
        Assert.Equal(
            [DamagedCluster, DamagedEntry, DamagedEntry],
            errors.Select(e => ulong.Parse(e.Message["the image is damaged (guest offset ".Length..^1], null)));
        Assert.All(errors, e => Assert.DoesNotContain("the-image", Encoding.UTF8.GetString(e.Payload), StringComparison.Ordinal));
        Assert.All(errors, e => Assert.DoesNotContain(_directory.Path, Encoding.UTF8.GetString(e.Payload), StringComparison.Ordinal));
        Assert.Equal(errors.Length, server.Errors.Count);
        Assert.All(server.Errors, e => Assert.Equal(path, Assert.IsType<Qcow2FormatException>(e.Exception).ImagePath));
        Assert.All(server.Errors, e => Assert.Contains(path, e.Exception.Message, StringComparison.Ordinal));

        // And where there is no room for a reason.
        using RawClient simple = server.Start(structured: false);
        simple.Send(RawClient.Request(RawClient.Read, 1, DamagedCluster, Cluster));
        Assert.Equal((RawClient.Io, 1ul), simple.ReceiveSimple());
        simple.Send(RawClient.Request(RawClient.Disc, 0, 0, 0));
        Assert.Empty(simple.ReceiveRest());
        Assert.Equal(errors.Length + 1, server.Errors.Count);
    }

    /// <summary>All that a handshake can ask for.</summary>
    [Fact]
    public void Handshake_NamesNoFile()
    {
        string path = _directory.Write("the-image.qcow2", ServedImage.Bytes);
        using LocalServer server = new(Qcow2Chain.Open(path));
        using RawClient client = server.Connect();
        client.Greet();
        client.Send(
        [
            .. RawClient.Option(RawClient.List), .. RawClient.Option(RawClient.Info, RawClient.InfoData("", 0, 1, 2, 3)),
            .. RawClient.Option(RawClient.ListContexts, RawClient.ContextData("")), .. RawClient.Option(RawClient.StartTls),
            .. RawClient.Option(RawClient.Go, RawClient.InfoData("x")), .. RawClient.Option(RawClient.Abort),
        ]);
        string all = Encoding.UTF8.GetString(client.ReceiveRest());
        Assert.DoesNotContain("the-image", all, StringComparison.Ordinal);
        Assert.DoesNotContain(_directory.Path, all, StringComparison.Ordinal);
    }

    public static TheoryData<Exception> Faults { get; } =
    [
        new IOException("/images/secret is stale"),
        new UnauthorizedAccessException("/images/secret is denied"),
        new NotSupportedException("/images/secret is of another kind"),
    ];

    /// <summary>Whatever a store of the owner's own throws ends that request, and nothing more.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public void FaultOfTheStore_IsAnErrorAndTheConnectionGoesOn(Exception fault)
    {
        GatedFile file = new(ServedImage.Bytes, "/images/secret/disk.qcow2");
        using LocalServer server = new(Qcow2Chain.Open(file));
        using RawClient client = server.Start();
        Assert.NotEmpty(client.Call(RawClient.Read, 13 * Cluster, 512));
        file.Before = _ => throw fault;
        Chunk chunk = Assert.Single(client.Call(RawClient.Read, Far, 512));
        Assert.Equal((RawClient.ErrorOffset, RawClient.Io, Far), (chunk.Type, chunk.Error, chunk.Offset));
        Assert.Equal($"the server can't read the image (guest offset {Far})", chunk.Message);
        NbdError error = Assert.Single(server.Errors);
        Assert.Contains(fault.Message, error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(((long)Far, 512L), (error.GuestOffset, error.Length));
        Assert.Equal(client.Socket.LocalEndPoint, error.Client);

        file.Before = _ => { };
        Assert.Equal(GuestDisk.Filled(512, 3), client.Call(RawClient.Read, Far, 512)[0].Data);
    }

    [UnixFact]
    public void ClientAtAUnixSocket_HasNoAddress()
    {
        using LocalServer server = new(ServedImage.Open(), _directory.File("socket"));
        using RawClient client = server.Start();
        Assert.Equal(RawClient.Io, client.Call(RawClient.Read, DamagedCluster, 1)[0].Error);
        Assert.Null(Assert.Single(server.Errors).Client);
    }

    [Fact]
    public void MissingPassphrase_IsToldToClientsWithoutPaths()
    {
        using LocalServer server = new(Qcow2Chain.Open(Repository.Image("aes.qcow2")));
        using RawClient client = server.Start();
        Chunk chunk = client.Call(RawClient.Read, 0, (uint)server.Length)[^1];
        Assert.StartsWith("the image is encrypted, and the server can't unlock it", chunk.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("aes", chunk.Message, StringComparison.Ordinal);
        Assert.Equal(Repository.Image("aes.qcow2"), Assert.IsType<PassphraseException>(Assert.Single(server.Errors).Exception).ImagePath);
    }

    /// <summary>What the owner's callback throws is reported only to the owner.</summary>
    [Theory]
    [InlineData(RawClient.Read)]
    [InlineData(RawClient.BlockStatus)]
    public Task ExceptionOfTheCallback_EndsTheServerAndComesOut(ushort command) => AssertEndsTheServer(command, new InvalidOperationException("no log"));

    /// <summary>Connections end in such exceptions of their own; this is the log that is disposed.</summary>
    [Fact]
    public Task DisposedObjectOfTheCallback_EndsTheServerAndComesOut() => AssertEndsTheServer(RawClient.Read, new ObjectDisposedException("the log"));

    private static async Task AssertEndsTheServer<T>(ushort command, T thrown)
        where T : Exception
    {
        await using NbdServer server = new(ServedImage.Open(), new NbdServerOptions { OnError = _ => throw thrown });
        IPEndPoint address = LocalServer.AddressOf(server.Listen(NbdEndpoint.Tcp(0)));
        Task running = server.RunAsync();
        using RawClient idle = Start(address);
        using RawClient client = Start(address);
        client.Send(RawClient.Request(command, 1, DamagedEntry, Cluster));
        Assert.Same(thrown, await Assert.ThrowsAsync<T>(() => running.WaitAsync(Patience)));
        Assert.True(client.IsClosed && idle.IsClosed);
    }

    private static RawClient Start(EndPoint address)
    {
        RawClient client = new(address);
        client.Greet();
        client.Negotiate(structured: true, "base:allocation");
        return client;
    }
}
