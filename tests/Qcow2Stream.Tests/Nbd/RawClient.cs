using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Qcow2Stream.Tests.Nbd;

/// <summary>A client that sends what the test says, right or wrong, and knows the protocol's numbers for itself.</summary>
internal sealed class RawClient : IDisposable
{
    public const uint ExportName = 1, Abort = 2, List = 3, StartTls = 5, Info = 6, Go = 7, StructuredReply = 8, ListContexts = 9, SetContexts = 10;
    public const uint Ack = 1, Server = 2, InfoReply = 3, ContextReply = 4;
    public const uint ErrUnsup = 0x80000001, ErrInvalid = 0x80000003, ErrUnknown = 0x80000006;
    public const ushort Read = 0, Write = 1, Disc = 2, Flush = 3, Trim = 4, Cache = 5, WriteZeroes = 6, BlockStatus = 7;
    public const ushort NoData = 0, OffsetData = 1, OffsetHole = 2, Status = 5, Error = 0x8001, ErrorOffset = 0x8002;
    public const uint Perm = 1, Io = 5, Inval = 22, Overflow = 75;

    private const int Patience = 60_000;

    private readonly Socket _socket;

    public RawClient(EndPoint address)
    {
        bool isTcp = address is IPEndPoint;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, isTcp ? ProtocolType.Tcp : ProtocolType.Unspecified)
        {
            ReceiveTimeout = Patience,
            SendTimeout = Patience,
        };
        _socket.Connect(address);
    }

    public Socket Socket => _socket;

    /// <summary>Whether the server has closed the connection, all that it sent before having been received.</summary>
    public bool IsClosed => Receive(new byte[1].AsSpan()) == 0;

    /// <summary>Receives the greeting and answers it.</summary>
    public void Greet(uint flags = 3)
    {
        Assert.Equal("NBDMAGICIHAVEOPT\0\u0003"u8.ToArray(), Receive(18));
        Send(UInt32(flags));
    }

    public static byte[] Option(uint option, params ReadOnlySpan<byte> data) =>
        [.. "IHAVEOPT"u8, .. UInt32(option), .. UInt32((uint)data.Length), .. data];

    public static byte[] InfoData(string name, params ushort[] wanted) =>
        [.. Text(name), .. UInt16((ushort)wanted.Length), .. wanted.SelectMany(UInt16)];

    public static byte[] ContextData(string name, params string[] queries) =>
        [.. Text(name), .. UInt32((uint)queries.Length), .. queries.SelectMany(Text)];

    public static byte[] Request(ushort command, ulong cookie, ulong offset, uint length, ushort flags = 0) =>
        [.. UInt32(0x25609513), .. UInt16(flags), .. UInt16(command), .. UInt64(cookie), .. UInt64(offset), .. UInt32(length)];

    /// <summary>Sends an option and receives its replies, the last of which is an ACK or an error.</summary>
    public List<(uint Type, byte[] Data)> Ask(uint option, params ReadOnlySpan<byte> data)
    {
        Send(Option(option, data));
        return ReceiveOptionReplies(option);
    }

    public List<(uint Type, byte[] Data)> ReceiveOptionReplies(uint option)
    {
        List<(uint Type, byte[] Data)> replies = [];
        do
        {
            byte[] head = Receive(20);
            Assert.Equal(0x0003e889045565a9UL, BinaryPrimitives.ReadUInt64BigEndian(head));
            Assert.Equal(option, BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(8)));
            replies.Add((BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12)), Receive((int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16)))));
        }
        while (replies[^1].Type is Server or InfoReply or ContextReply);
        return replies;
    }

    /// <summary>Goes through the rest of the handshake.</summary>
    public void Negotiate(bool structured = true, params string[] contexts)
    {
        if (structured)
        {
            Assert.Equal(Ack, Ask(StructuredReply)[^1].Type);
        }

        if (contexts.Length > 0)
        {
            Assert.Equal(contexts.Length + 1, Ask(SetContexts, ContextData("", contexts)).Count);
        }

        Assert.Equal(Ack, Ask(Go, InfoData(""))[^1].Type);
    }

    public (uint Error, ulong Cookie) ReceiveSimple()
    {
        byte[] head = Receive(16);
        Assert.Equal(0x67446698u, BinaryPrimitives.ReadUInt32BigEndian(head));
        return (BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(4)), BinaryPrimitives.ReadUInt64BigEndian(head.AsSpan(8)));
    }

    public Chunk ReceiveChunk()
    {
        byte[] head = Receive(20);
        Assert.Equal(0x668e33efu, BinaryPrimitives.ReadUInt32BigEndian(head));
        return new Chunk(
            BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(4)) == 1,
            BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(6)),
            BinaryPrimitives.ReadUInt64BigEndian(head.AsSpan(8)),
            Receive((int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16))));
    }

    /// <summary>Sends a request and receives all chunks of its reply.</summary>
    public List<Chunk> Call(ushort command, ulong offset, uint length, ushort flags = 0)
    {
        const ulong Cookie = 0x1122334455667788;
        Send(Request(command, Cookie, offset, length, flags));
        List<Chunk> chunks = [];
        do
        {
            chunks.Add(ReceiveChunk());
            Assert.Equal(Cookie, chunks[^1].Cookie);
        }
        while (!chunks[^1].IsLast);
        return chunks;
    }

    public void Send(params ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    public byte[] Receive(int count)
    {
        byte[] bytes = new byte[count];
        for (int done = 0; done < count;)
        {
            int received = Receive(bytes.AsSpan(done));
            Assert.True(received > 0, $"the server closed the connection {count - done} bytes too early");
            done += received;
        }

        return bytes;
    }

    /// <summary>All that comes until the server closes the connection.</summary>
    public byte[] ReceiveRest()
    {
        MemoryStream rest = new();
        byte[] buffer = new byte[64 << 10];
        int received;
        while ((received = Receive(buffer.AsSpan())) > 0)
        {
            rest.Write(buffer, 0, received);
        }

        return rest.ToArray();
    }

    public void Dispose() => _socket.Dispose();

    public static byte[] UInt16(ushort value) => [(byte)(value >> 8), (byte)value];

    public static byte[] UInt32(uint value) => [.. UInt16((ushort)(value >> 16)), .. UInt16((ushort)value)];

    public static byte[] UInt64(ulong value) => [.. UInt32((uint)(value >> 32)), .. UInt32((uint)value)];

    /// <returns>0 where the connection is over, in whichever way.</returns>
    private int Receive(Span<byte> target)
    {
        try
        {
            return _socket.Receive(target);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            return 0;
        }
    }

    private static byte[] Text(string text) => [.. UInt32((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];
}
