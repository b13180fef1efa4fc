using System.Buffers.Binary;
using System.Net.Sockets;
using Qcow2Stream.Tests.Nbd;

namespace Qcow2Stream.Nbd.Tests;

/// <summary>
/// Thousands of connections that send nonsense, the same each time: none may hang, none may harm the server, and whoever
/// comes next is served. An exception that nobody catches ends the tests' own process.
/// </summary>
public sealed class GarbageTests : IDisposable
{
    private const int PatienceMilliseconds = 60_000;

    private static readonly ushort[] ChunkTypes =
        [RawClient.OffsetData, RawClient.OffsetHole, RawClient.Status, RawClient.Error, RawClient.ErrorOffset];

    private readonly LocalServer _server = new(ServedImage.Open());

    public void Dispose() => _server.Dispose();

    [Fact]
    public void RandomBytes_AreNoClient()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            Random random = new(seed);
            byte[] bytes = new byte[random.Next(1, 300)];
            random.NextBytes(bytes);
            Talk(client => client.Send(bytes));
        }

        CheckGoodClient();
    }

    [Fact]
    public void DamagedHandshakes_AreAnsweredOrEnded()
    {
        for (int seed = 0; seed < 1500; seed++)
        {
            Random random = new(seed);
            byte[] handshake = [.. RawClient.UInt32(3), .. Options(random)];
            Damage(handshake, random);
            Talk(client => client.Send(handshake));
        }

        CheckGoodClient();
    }

    [Fact]
    public void DamagedRequests_AreAnsweredInChunksOrEnded()
    {
        for (int seed = 0; seed < 1500; seed++)
        {
            Random random = new(seed);
            byte[] requests = [.. Enumerable.Range(0, random.Next(1, 20)).SelectMany(_ => RandomRequest(random))];
            if (random.Next(3) == 0)
            {
                Damage(requests, random);
            }

            byte[] replies = Talk(client =>
            {
                client.Greet();
                client.Negotiate(structured: true, "base:allocation", "qemu:allocation-depth");
                client.Send(requests);
            });
            CheckChunks(replies, seed);
        }

        CheckGoodClient();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(30)]
    public void CutOffAnywhere_IsTheEnd(int length)
    {
        byte[] handshake = [.. RawClient.UInt32(3), .. RawClient.Option(RawClient.Go, RawClient.InfoData(""))];
        Talk(client => client.Send(handshake.AsSpan(0, Math.Min(length, handshake.Length))));
        Talk(client =>
        {
            client.Send([.. handshake, .. RawClient.Request(RawClient.Write, 1, 0, 1000)]);
            client.Send(new byte[length]);
        });
        Talk(client => client.Send([.. handshake, .. RawClient.Request(RawClient.Read, 1, 0, 1000).AsSpan(0, Math.Min(length, 27))]));
        CheckGoodClient();
    }

    /// <summary>A client that leaves in the middle of a reply doesn't affect others.</summary>
    [Fact]
    public void ClientsThatVanish_LeaveTheServerAsItWas()
    {
        for (int i = 0; i < 200; i++)
        {
            using RawClient client = _server.Start();
            client.Send(RawClient.Request(RawClient.Read, 1, 13 * ServedImage.ClusterSize, 200 * ServedImage.ClusterSize));
            client.Receive(i * 100);
            client.Socket.LingerState = new LingerOption(enable: i % 2 == 0, seconds: 0);
        }

        CheckGoodClient();
    }

    private static byte[] Options(Random random) =>
    [
        .. Enumerable.Range(0, random.Next(1, 8)).SelectMany(_ => random.Next(7) switch
        {
            0 => RawClient.Option(RawClient.StructuredReply),
            1 => RawClient.Option(RawClient.List),
            2 => RawClient.Option(RawClient.SetContexts, RawClient.ContextData("", "base:allocation", "qemu:")),
            3 => RawClient.Option(RawClient.ListContexts, RawClient.ContextData(random.Next(2) == 0 ? "" : "x", "base:")),
            4 => RawClient.Option(RawClient.Info, RawClient.InfoData("", 0, 1, 2, 3)),
            5 => RawClient.Option((uint)random.Next(-2, 14), new byte[random.Next(20)]),
            _ => RawClient.Option(RawClient.Go, RawClient.InfoData("")),
        }),
        .. RawClient.Option(RawClient.Go, RawClient.InfoData("", 3)), .. RandomRequest(random),
    ];

    private static byte[] RandomRequest(Random random)
    {
        ushort command = (ushort)random.Next(9);
        uint length = (uint)(random.Next(10) == 0 ? random.NextInt64(1L << 32) : random.Next(300_000));
        ulong offset = random.Next(10) == 0 ? (ulong)random.NextInt64() << 1 : (ulong)random.Next(ServedImage.Length);
        byte[] request = RawClient.Request(command, (ulong)random.NextInt64(), offset, length, (ushort)(random.Next(4) == 0 ? 1 << random.Next(16) : 0));
        return command == RawClient.Write && length < 1000 ? [.. request, .. new byte[length]] : request;
    }

    private static void Damage(byte[] bytes, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }
    }

    /// <summary>Sends, says that this was all, and receives whatever comes.</summary>
    private byte[] Talk(Action<RawClient> send)
    {
        using RawClient client = _server.Connect();
        Task<byte[]> talk = Task.Run(() =>
        {
            try
            {
                send(client);
                client.Socket.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException e) when (e.SocketErrorCode != SocketError.TimedOut)
            {
                // It has closed the connection already.
            }

            return client.ReceiveRest();
        });
        Assert.True(talk.Wait(PatienceMilliseconds), "the server neither answers nor closes the connection");
        return talk.Result;
    }

    /// <summary>Whole chunks of known types, up to the end.</summary>
    private static void CheckChunks(ReadOnlySpan<byte> replies, int seed)
    {
        while (!replies.IsEmpty)
        {
            Assert.True(BinaryPrimitives.ReadUInt32BigEndian(replies) == 0x668e33ef, $"seed {seed}: a chunk has no magic");
            Assert.Contains(BinaryPrimitives.ReadUInt16BigEndian(replies[6..]), ChunkTypes);
            replies = replies[(20 + (int)BinaryPrimitives.ReadUInt32BigEndian(replies[16..]))..];
        }
    }

    private void CheckGoodClient()
    {
        using RawClient client = _server.Start(contexts: "base:allocation");
        Assert.Equal(1, client.Call(RawClient.Read, 0, 1)[0].Data[0]);
        Assert.Single(client.Call(RawClient.BlockStatus, 0, 512));
    }
}
