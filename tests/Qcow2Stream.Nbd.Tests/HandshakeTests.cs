using System.Buffers.Binary;
using System.Text;
using Qcow2Stream.Tests.Infrastructure;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>The first phase, byte by byte: what is asked wrongly is refused or ends the connection, and nothing more.</summary>
public sealed class HandshakeTests : IDisposable
{
    private const ushort ExportInfo = 0, NameInfo = 1, DescriptionInfo = 2, BlockSizeInfo = 3;

    // NBD_FLAG_HAS_FLAGS, READ_ONLY, SEND_DF, CAN_MULTI_CONN.
    private const ushort ExportFlags = 1 | 2 | 128 | 256;

    private readonly LocalServer _server = new(ServedImage.Open());

    /// <summary>Options that are wrong, and the error that says so.</summary>
    public static TheoryData<string, uint, byte[], uint> WrongOptions { get; } = new()
    {
        { "encryption", RawClient.StartTls, [], RawClient.ErrUnsup },
        { "extended headers", 11, [], RawClient.ErrUnsup },
        { "an option that nobody knows", 0xffffffff, [1, 2, 3], RawClient.ErrUnsup },
        { "number 0", 0, [], RawClient.ErrUnsup },
        { "a list of something", RawClient.List, [0], RawClient.ErrInvalid },
        { "structured replies with data", RawClient.StructuredReply, [0], RawClient.ErrInvalid },
        { "go without a name", RawClient.Go, [], RawClient.ErrInvalid },
        { "a name's length cut off", RawClient.Go, [0, 0, 0], RawClient.ErrInvalid },
        { "a name longer than the data", RawClient.Go, [0, 0, 0, 9, 65, 0, 0], RawClient.ErrInvalid },
        { "a name of 4 GiB", RawClient.Info, [0xff, 0xff, 0xff, 0xff, 0, 0], RawClient.ErrInvalid },
        { "a name of minus one", RawClient.Info, [0x80, 0, 0, 0, 0, 0], RawClient.ErrInvalid },
        { "no count of information", RawClient.Go, [0, 0, 0, 0, 0], RawClient.ErrInvalid },
        { "more information than data", RawClient.Go, [0, 0, 0, 0, 0xff, 0xff, 0, 3], RawClient.ErrInvalid },
        { "data behind the end", RawClient.Go, [0, 0, 0, 0, 0, 0, 0], RawClient.ErrInvalid },
        { "an export that is not there", RawClient.Go, RawClient.InfoData("disk"), RawClient.ErrUnknown },
        { "information on it", RawClient.Info, RawClient.InfoData("\0"), RawClient.ErrUnknown },
        { "its contexts", RawClient.ListContexts, RawClient.ContextData("disk"), RawClient.ErrUnknown },
        { "contexts without a count", RawClient.ListContexts, [0, 0, 0, 0], RawClient.ErrInvalid },
        { "four thousand million queries", RawClient.ListContexts, [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], RawClient.ErrInvalid },
        { "a query longer than the data", RawClient.ListContexts, [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 65], RawClient.ErrInvalid },
        { "contexts with data behind them", RawClient.ListContexts, [.. RawClient.ContextData("", "base:"), 0], RawClient.ErrInvalid },
        { "contexts before structured replies", RawClient.SetContexts, RawClient.ContextData("", "base:allocation"), RawClient.ErrInvalid },
    };

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void WrongOption_IsAnErrorAndTheHandshakeGoesOn(string what, uint option, byte[] data, uint error)
    {
        using RawClient client = _server.Connect();
        client.Greet();
        (uint type, byte[] message) = Assert.Single(client.Ask(option, data));
        Assert.True(error == type, what);
        Assert.NotEmpty(message);
        client.Negotiate();
        Assert.Equal(ServedImage.ClusterSize, client.Call(RawClient.Read, 0, ServedImage.ClusterSize)[0].Data.Length);
    }

    [Theory]
    [InlineData("no NBD at all", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("flags that nobody knows", "\0\0\0\u0007")]
    [InlineData("an option's magic that is none", "\0\0\0\u0003IHAVEOPX\0\0\0\u0007\0\0\0\0")]
    [InlineData("an option with 64 KiB and a byte", "\0\0\0\u0003IHAVEOPT\0\0\0\u0003\0\u0001\0\u0001")]
    [InlineData("an option with 4 GiB", "\0\0\0\u0003IHAVEOPT\0\0\0\u0007\u007f\u007f\u007f\u007f")]
    [InlineData("an export of old that is not there", "\0\0\0\u0003IHAVEOPT\0\0\0\u0001\0\0\0\u0001x")]
    [InlineData("an option of new without the flag", "\0\0\0\0IHAVEOPT\0\0\0\u0003\0\0\0\0")]
    public void Nonsense_EndsTheConnection(string what, string text)
    {
        using RawClient client = _server.Connect();
        client.Receive(18);
        client.Send(Encoding.Latin1.GetBytes(text));
        Assert.True(client.IsClosed, what);
        using RawClient next = _server.Start();
        Assert.Single(next.Call(RawClient.Read, 0, 512));
    }

    [Fact]
    public void TooManyOptions_EndTheConnection()
    {
        using RawClient client = _server.Connect();
        client.Greet();
        for (int i = 0; i < 1000; i++)
        {
            client.Ask(RawClient.List);
        }

        Assert.True(client.IsClosed);
    }

    [Fact]
    public void LargestOption_IsRead()
    {
        using RawClient client = _server.Connect();
        client.Greet();
        Assert.Equal(RawClient.ErrUnsup, client.Ask(99, new byte[64 << 10])[0].Type);
    }

    [Fact]
    public void OptionsInOnePacket_AreAnsweredInOrder()
    {
        using RawClient client = _server.Connect();
        client.Greet();
        client.Send(
        [
            .. RawClient.Option(RawClient.StructuredReply), .. RawClient.Option(RawClient.List), .. RawClient.Option(77),
            .. RawClient.Option(RawClient.Go, RawClient.InfoData("")), .. RawClient.Request(RawClient.Read, 5, 0, 512),
        ]);
        uint[] options = [RawClient.StructuredReply, RawClient.List, 77, RawClient.Go];
        Assert.Equal([RawClient.Ack, RawClient.Ack, RawClient.ErrUnsup, RawClient.Ack], options.Select(o => client.ReceiveOptionReplies(o)[^1].Type));
        Assert.Equal(512, client.ReceiveChunk().Data.Length);
    }

    [Theory]
    [InlineData(0u, 124)]
    [InlineData(1u, 124)]
    [InlineData(3u, 0)]
    public void ExportName_StartsWithoutReplies(uint flags, int zeroes)
    {
        using RawClient client = _server.Connect();
        client.Greet(flags);
        client.Send(RawClient.Option(RawClient.ExportName));
        byte[] reply = client.Receive(10 + zeroes);
        Assert.Equal(ServedImage.Length, BinaryPrimitives.ReadInt64BigEndian(reply));
        Assert.Equal(ExportFlags, BinaryPrimitives.ReadUInt16BigEndian(reply.AsSpan(8)));
        Assert.All(reply[10..], b => Assert.Equal(0, b));
        client.Send(RawClient.Request(RawClient.Read, 1, 0, 3));
        Assert.Equal((0u, 1ul), client.ReceiveSimple());
        Assert.Equal([1, 1, 1], client.Receive(3));
    }

    [Fact]
    public void Abort_IsAcknowledged()
    {
        using RawClient client = _server.Connect();
        client.Greet();
        Assert.Equal(RawClient.Ack, Assert.Single(client.Ask(RawClient.Abort)).Type);
        Assert.True(client.IsClosed);
    }

    [Fact]
    public void List_NamesTheOneExport()
    {
        using LocalServer server = new(Qcow2Chain.Open(Repository.Image("chain-3.qcow2")));
        using RawClient client = server.Connect();
        client.Greet();
        List<(uint Type, byte[] Data)> replies = client.Ask(RawClient.List);
        Assert.Equal([RawClient.Server, RawClient.Ack], replies.Select(r => r.Type));
        Assert.Equal("\0\0\0\0"u8, replies[0].Data);
    }

    [Theory]
    [InlineData(RawClient.Info)]
    [InlineData(RawClient.Go)]
    public void Export_IsDescribedAsAsked(uint option)
    {
        using RawClient client = _server.Connect();
        client.Greet();
        var replies = client.Ask(option, RawClient.InfoData("", NameInfo, DescriptionInfo, BlockSizeInfo, 99, BlockSizeInfo, NameInfo));
        Assert.Equal(RawClient.Ack, replies[^1].Type);
        Dictionary<ushort, byte[]> infos = replies.SkipLast(1).ToDictionary(r => BinaryPrimitives.ReadUInt16BigEndian(r.Data), r => r.Data[2..]);
        Assert.Equal([ExportInfo, NameInfo, DescriptionInfo, BlockSizeInfo], infos.Keys.Order());
        Assert.Equal([.. RawClient.UInt64(ServedImage.Length), .. RawClient.UInt16(ExportFlags)], infos[ExportInfo]);
        Assert.Equal([.. RawClient.UInt32(1), .. RawClient.UInt32(ServedImage.ClusterSize), .. RawClient.UInt32(32 << 20)], infos[BlockSizeInfo]);
        Assert.Empty(infos[NameInfo]);
    }

    [Theory]
    [InlineData("base:allocation qemu:allocation-depth")]
    [InlineData("base:allocation", "base:")]
    [InlineData("qemu:allocation-depth", "qemu:", "x-other:thing")]
    [InlineData("base:allocation qemu:allocation-depth", "qemu:allocation-depth", "base:allocation")]
    [InlineData("", "base:alloc", "base", "", ":", "qemu:dirty-bitmap:b")]
    public void ListedContexts_AreThoseAskedFor(string expected, params string[] queries)
    {
        using RawClient client = _server.Connect();
        client.Greet();
        Assert.Equal(expected, Names(client.Ask(RawClient.ListContexts, RawClient.ContextData("", queries))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("", "base:", "qemu:", "Base:allocation")]
    [InlineData("base:allocation", "base:allocation", "base:allocation")]
    [InlineData("base:allocation qemu:allocation-depth", "qemu:allocation-depth", "nothing:here", "base:allocation")]
    public void ChosenContexts_AreThoseNamed(string expected, params string[] queries)
    {
        using RawClient client = _server.Connect();
        client.Greet();
        client.Ask(RawClient.StructuredReply);
        Assert.Equal(expected, Names(client.Ask(RawClient.SetContexts, RawClient.ContextData("", queries))));
    }

    /// <summary>The last choice counts, and one that fails is none.</summary>
    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "disk")]
    public void NewChoice_ReplacesTheOld(bool empty, string name)
    {
        using RawClient client = _server.Connect();
        client.Greet();
        client.Ask(RawClient.StructuredReply);
        client.Ask(RawClient.SetContexts, RawClient.ContextData("", "base:allocation"));
        Assert.Equal(empty ? RawClient.Ack : RawClient.ErrUnknown, client.Ask(RawClient.SetContexts, RawClient.ContextData(name))[^1].Type);
        client.Ask(RawClient.Go, RawClient.InfoData(""));
        Assert.Equal(RawClient.Inval, client.Call(RawClient.BlockStatus, 0, 4096)[0].Error);
    }

    [Fact]
    public void TooManyConnections_AreClosedAtOnce()
    {
        using LocalServer server = new(ServedImage.Open(), options: new NbdServerOptions { MaxConnections = 2 });
        using RawClient first = server.Start();
        using (RawClient second = server.Start())
        {
            using RawClient third = server.Connect();
            Assert.True(third.IsClosed);
            second.Send(RawClient.Request(RawClient.Disc, 0, 0, 0));
            Assert.True(second.IsClosed);
        }

        // The place is free a moment after the client sees the end.
        SpinWait.SpinUntil(() =>
        {
            using RawClient again = server.Connect();
            return !again.IsClosed;
        });
        Assert.Single(first.Call(RawClient.Read, 0, 512));
    }

    [Fact]
    public void HandshakeThatGoesOnForEver_IsEndedAndASessionIsNot()
    {
        using LocalServer server = new(ServedImage.Open(), options: new NbdServerOptions { HandshakeTimeout = TimeSpan.FromSeconds(5) });
        using RawClient quick = server.Start();
        using RawClient silent = server.Connect();
        using RawClient slow = server.Connect();
        slow.Greet();
        slow.Ask(RawClient.List);
        silent.Receive(18);
        Assert.True(silent.IsClosed && slow.IsClosed);
        Assert.Single(quick.Call(RawClient.Read, 0, 512));
    }

    private static string Names(List<(uint Type, byte[] Data)> replies)
    {
        Assert.Equal(RawClient.Ack, replies[^1].Type);
        return string.Join(' ', replies.SkipLast(1).Select(r => Encoding.UTF8.GetString(r.Data.AsSpan(4))));
    }
}
