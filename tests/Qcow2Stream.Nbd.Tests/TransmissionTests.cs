using System.Net.Sockets;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>The second phase, byte by byte.</summary>
public sealed class TransmissionTests : IDisposable
{
    private const ushort Fua = 1, Df = 4, ReqOne = 8;
    private const uint Cluster = ServedImage.ClusterSize;
    private const uint HoleAndZero = 3;

    private readonly LocalServer _server = new(ServedImage.Open());

    /// <summary>Requests that are refused: what is wrong, command, offset, length, flags, error.</summary>
    public static TheoryData<string, ushort, ulong, uint, ushort, uint> WrongRequests { get; } = new()
    {
        { "nothing to read", RawClient.Read, 0, 0, 0, RawClient.Inval },
        { "past the end", RawClient.Read, ServedImage.Length - 1, 2, 0, RawClient.Inval },
        { "behind the end", RawClient.Read, ServedImage.Length, 1, 0, RawClient.Inval },
        { "an end that wraps around", RawClient.Read, ulong.MaxValue, 2, 0, RawClient.Inval },
        { "an offset that is negative elsewhere", RawClient.Read, 1ul << 63, 512, 0, RawClient.Inval },
        { "more than 32 MiB", RawClient.Read, 0, (32 << 20) + 1, 0, RawClient.Inval },
        { "4 GiB", RawClient.Read, 0, uint.MaxValue, 0, RawClient.Inval },
        { "a flag of another command", RawClient.Read, 0, 512, ReqOne, RawClient.Inval },
        { "a flag that is not offered", RawClient.Read, 0, 512, Fua, RawClient.Inval },
        { "a flag that nobody knows", RawClient.Read, 0, 512, 0x8000, RawClient.Inval },
        { "one chunk of more than 1 MiB", RawClient.Read, 0, (1 << 20) + 1, Df, RawClient.Overflow },
        { "status of nothing", RawClient.BlockStatus, 0, 0, 0, RawClient.Inval },
        { "status past the end", RawClient.BlockStatus, ServedImage.Length - 1, 2, 0, RawClient.Inval },
        { "status of 4 GiB", RawClient.BlockStatus, 0, uint.MaxValue, 0, RawClient.Inval },
        { "status in one chunk", RawClient.BlockStatus, 0, 512, Df, RawClient.Inval },
        { "trim", RawClient.Trim, 0, 512, 0, RawClient.Perm },
        { "zeros", RawClient.WriteZeroes, 0, 512, 2, RawClient.Perm },
        { "flush, which is not offered", RawClient.Flush, 0, 0, 0, RawClient.Inval },
        { "cache, which is not offered", RawClient.Cache, 0, 512, 0, RawClient.Inval },
        { "resize", 8, 0, 512, 0, RawClient.Inval },
        { "a command that nobody knows", 0xffff, 0, 512, 0, RawClient.Inval },
    };

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(WrongRequests))]
    public void WrongRequest_IsAnErrorAndTheConnectionGoesOn(string what, ushort command, ulong offset, uint length, ushort flags, uint error)
    {
        using RawClient client = _server.Start(contexts: "base:allocation");
        Chunk chunk = Assert.Single(client.Call(command, offset, length, flags));
        Assert.Equal((RawClient.Error, error), (chunk.Type, chunk.Error));
        Assert.True(chunk.Message.Length > 0, what);
        Assert.Equal(512, client.Call(RawClient.Read, 0, 512)[0].Data.Length);

        using RawClient simple = _server.Start(structured: false);
        simple.Send(RawClient.Request(command, 7, offset, length, flags));
        uint withoutChunks = command == RawClient.Read && flags == Df ? RawClient.Inval : error;
        Assert.Equal((withoutChunks, 7ul), simple.ReceiveSimple());
        simple.Send(RawClient.Request(RawClient.Read, 8, 0, 2));
        Assert.Equal((0u, 8ul), simple.ReceiveSimple());
        Assert.Equal([1, 1], simple.Receive(2));
        Assert.Empty(_server.Errors);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000_000)]
    public void Write_IsRefusedAndItsDataSkipped(int length)
    {
        using RawClient client = _server.Start();
        client.Send(RawClient.Request(RawClient.Write, 3, 0, (uint)length));
        client.Send(new byte[length]);
        Assert.Equal(RawClient.Perm, client.ReceiveChunk().Error);
        Assert.Equal(1, client.Call(RawClient.Read, 0, 1)[0].Data[0]);
    }

    [Fact]
    public void Read_IsInChunksOfDataAndHoles()
    {
        using RawClient client = _server.Start();
        List<Chunk> chunks = client.Call(RawClient.Read, Cluster, (10 * Cluster) - 5);
        Assert.Equal([RawClient.OffsetData, RawClient.OffsetHole, RawClient.OffsetData], chunks.Select(c => c.Type));
        Assert.Equal([Cluster, 4ul * Cluster, 10ul * Cluster], chunks.Select(c => c.Offset));
        Assert.Equal(Enumerable.Repeat((byte)1, 3 * (int)Cluster), chunks[0].Data);
        Assert.Equal(6 * Cluster, chunks[1].HoleLength);
        Assert.Equal(Enumerable.Repeat((byte)2, (int)Cluster - 5), chunks[2].Data);
        Assert.Equal([false, false, true], chunks.Select(c => c.IsLast));
    }

    [Fact]
    public void LargeRead_IsInSeveralChunks()
    {
        using RawClient client = _server.Start();
        const uint First = 13 * Cluster;
        byte[] expected = [.. Enumerable.Repeat((byte)3, 200 * (int)Cluster)];
        List<Chunk> chunks = client.Call(RawClient.Read, First, 200 * Cluster);
        ulong position = First;
        foreach (Chunk chunk in chunks)
        {
            Assert.Equal((RawClient.OffsetData, position), (chunk.Type, chunk.Offset));
            position += (ulong)chunk.Data.Length;
        }

        Assert.Equal(expected, chunks.SelectMany(c => c.Data));

        using RawClient simple = _server.Start(structured: false);
        simple.Send(RawClient.Request(RawClient.Read, 1, First, 200 * Cluster));
        Assert.Equal((0u, 1ul), simple.ReceiveSimple());
        Assert.Equal(expected, simple.Receive(expected.Length));
    }

    [Fact]
    public void OneChunk_HasItsZerosToo()
    {
        using RawClient client = _server.Start();
        Chunk chunk = Assert.Single(client.Call(RawClient.Read, 3 * Cluster, 3 * Cluster, Df));
        Assert.Equal(RawClient.OffsetData, chunk.Type);
        Assert.Equal([.. Enumerable.Repeat((byte)1, (int)Cluster), .. new byte[2 * Cluster]], chunk.Data);
    }

    [Fact]
    public void Damage_IsAnErrorAtItsPlaceAndOtherRangesGoOn()
    {
        const ulong Damaged = ServedImage.DamagedCluster * Cluster;
        using RawClient client = _server.Start();
        List<Chunk> chunks = client.Call(RawClient.Read, Damaged - (2 * Cluster), 4 * Cluster);
        Assert.Equal((RawClient.ErrorOffset, RawClient.Io), (chunks[^1].Type, chunks[^1].Error));
        Assert.InRange(chunks[^1].Offset, Damaged - (2 * Cluster), Damaged);
        Assert.Equal($"the image is damaged (guest offset {Damaged})", chunks[^1].Message);
        NbdError error = Assert.Single(_server.Errors);
        Assert.Equal((long)Damaged, Assert.IsType<Qcow2FormatException>(error.Exception).GuestOffset);
        Assert.Contains($"guest offset {Damaged}", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(((long)(Damaged - (2 * Cluster)), 4 * Cluster), (error.GuestOffset, error.Length));
        Assert.Equal(client.Socket.LocalEndPoint, error.Client);

        Assert.Equal(Enumerable.Repeat((byte)2, (int)Cluster), client.Call(RawClient.Read, 10 * Cluster, Cluster)[0].Data);
        Assert.Equal(Enumerable.Repeat((byte)3, (int)Cluster), client.Call(RawClient.Read, Damaged + Cluster, Cluster)[0].Data);
    }

    [Fact]
    public void DamagedTable_IsAnErrorBehindWhatCouldBeRead()
    {
        const ulong Damaged = ServedImage.DamagedEntry * Cluster;
        using RawClient client = _server.Start();
        List<Chunk> chunks = client.Call(RawClient.Read, Damaged - Cluster, 3 * Cluster);
        Assert.Equal([RawClient.OffsetHole, RawClient.ErrorOffset], chunks.Select(c => c.Type));
        Assert.Equal((Cluster, Damaged, RawClient.Io), (chunks[0].HoleLength, chunks[1].Offset, chunks[1].Error));
    }

    [Fact]
    public void DamageWithoutChunks_IsAnErrorOrTheEndButNeverWrongBytes()
    {
        const ulong Damaged = ServedImage.DamagedCluster * Cluster;
        using RawClient client = _server.Start(structured: false);
        client.Send(RawClient.Request(RawClient.Read, 1, Damaged, Cluster));
        Assert.Equal((RawClient.Io, 1ul), client.ReceiveSimple());
        client.Send(RawClient.Request(RawClient.Read, 2, 0, 1));
        Assert.Equal((0u, 2ul), client.ReceiveSimple());
        Assert.Equal([1], client.Receive(1));

        // What was promised can't be kept: the damage is after the first mebibyte.
        const ulong DamagedEntry = ServedImage.DamagedEntry * Cluster;
        client.Send(RawClient.Request(RawClient.Read, 3, DamagedEntry - (100 * Cluster), 101 * Cluster));
        Assert.Equal((0u, 3ul), client.ReceiveSimple());
        byte[] received = client.ReceiveRest();
        Assert.InRange(received.Length, 1, 100 * (int)Cluster);
        Assert.All(received.Chunk((int)Cluster), c => Assert.Equal(new byte[c.Length], c));
        using RawClient next = _server.Start(structured: false);
        next.Send(RawClient.Request(RawClient.Read, 4, 0, 1));
        Assert.Equal((0u, 4ul), next.ReceiveSimple());
    }

    [Fact]
    public void Status_IsToldInBothContexts()
    {
        using RawClient client = _server.Start(contexts: ["base:allocation", "qemu:allocation-depth"]);
        List<Chunk> chunks = client.Call(RawClient.BlockStatus, 2 * Cluster, 9 * Cluster);
        Assert.Equal([RawClient.Status, RawClient.Status], chunks.Select(c => c.Type));
        Assert.Equal(0u, chunks[0].Status.Context);
        Assert.Equal([(2 * Cluster, 0u), (6 * Cluster, HoleAndZero), (Cluster, 0u)], chunks[0].Status.Extents);
        Assert.Equal(1u, chunks[1].Status.Context);
        Assert.Equal([(2 * Cluster, 1u), (4 * Cluster, 0u), (3 * Cluster, 1u)], chunks[1].Status.Extents);
    }

    [Fact]
    public void StatusOfOneExtent_IsOne()
    {
        using RawClient client = _server.Start(contexts: ["base:allocation", "qemu:allocation-depth"]);
        List<Chunk> chunks = client.Call(RawClient.BlockStatus, 5 * Cluster, 9 * Cluster, ReqOne);
        Assert.Equal([(5 * Cluster, HoleAndZero)], chunks[0].Status.Extents);
        Assert.Equal([(3 * Cluster, 0u)], chunks[1].Status.Extents);
    }

    [Fact]
    public void StatusInFrontOfDamage_IsTold()
    {
        const ulong Damaged = ServedImage.DamagedEntry * Cluster;
        using RawClient client = _server.Start(contexts: ["base:allocation", "qemu:allocation-depth"]);
        List<Chunk> chunks = client.Call(RawClient.BlockStatus, Damaged - Cluster, 4 * Cluster);
        Assert.All(chunks, c => Assert.Equal(Cluster, Assert.Single(c.Status.Extents).Length));
        Assert.Equal(RawClient.Io, Assert.Single(client.Call(RawClient.BlockStatus, Damaged, 4 * Cluster)).Error);
        Assert.Single(client.Call(RawClient.BlockStatus, Damaged + Cluster, Cluster)[0].Status.Extents);
    }

    [Fact]
    public void StatusWithoutContexts_IsRefused()
    {
        using RawClient client = _server.Start();
        Assert.Equal(RawClient.Inval, client.Call(RawClient.BlockStatus, 0, Cluster)[0].Error);
    }

    /// <summary>Far more at once than there are threads, and in one packet; the client then says that it leaves.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ManyRequestsAtOnce_AreAllAnswered(bool saysGoodbye)
    {
        const int Count = 500;
        using RawClient client = _server.Start();
        byte[] requests = [.. Enumerable.Range(0, Count).SelectMany(i => RawClient.Request(RawClient.Read, (ulong)i, (13 * Cluster) + (ulong)i, 512))];
        client.Send(saysGoodbye ? [.. requests, .. RawClient.Request(RawClient.Disc, 0, 0, 0)] : requests);
        if (!saysGoodbye)
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        HashSet<ulong> answered = [];
        for (int i = 0; i < Count; i++)
        {
            Chunk chunk = client.ReceiveChunk();
            Assert.True(chunk.IsLast);
            Assert.Equal((13 * Cluster) + chunk.Cookie, chunk.Offset);
            Assert.True(answered.Add(chunk.Cookie));
        }

        Assert.True(client.IsClosed);
    }

    [Fact]
    public void BadMagic_EndsTheConnectionBehindTheAnswers()
    {
        using RawClient client = _server.Start();
        byte[] wrong = RawClient.Request(RawClient.Read, 2, 0, 512);
        wrong[3]++;
        client.Send([.. RawClient.Request(RawClient.Read, 1, 0, 512), .. wrong, .. new byte[100_000]]);
        Assert.Equal(1ul, client.ReceiveChunk().Cookie);
        Assert.True(client.IsClosed);
    }

    /// <summary>A client that asks for everything and takes nothing gets a few threads' worth of memory, and holds up nobody.</summary>
    [Fact]
    public void ClientThatDoesNotRead_HoldsUpNobodyNorTheEnd()
    {
        using RawClient client = _server.Start();
        for (int i = 0; i < 100; i++)
        {
            client.Send(RawClient.Request(RawClient.Read, (ulong)i, 13 * Cluster, 200 * Cluster));
        }

        using RawClient other = _server.Start();
        Assert.Equal(512, other.Call(RawClient.Read, 0, 512)[0].Data.Length);
        _server.Stop();
    }
}
