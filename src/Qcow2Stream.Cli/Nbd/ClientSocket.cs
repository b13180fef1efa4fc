using System.Net.Sockets;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>A client's socket, blocking: receiving and sending may go on at once, but only one of each.</summary>
internal sealed class ClientSocket : IDisposable
{
    // A hundred requests in one system call.
    private const int ReceiveBytes = 4096;

    // A reply or two: its sender is done with it the sooner.
    private const int SendBytes = 1 << 20;

    private readonly Socket _socket;
    private readonly byte[] _received = new byte[ReceiveBytes];
    private int _start;
    private int _end;

    /// <summary>Takes the socket over.</summary>
    public ClientSocket(Socket socket)
    {
        _socket = socket;
        socket.SendBufferSize = SendBytes;
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            // A client whose machine has gone would hold its place for ever.
            socket.NoDelay = true;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        }
    }

    /// <summary>Whether something waits to be received.</summary>
    public bool HasMore => _start < _end || _socket.Available > 0;

    /// <exception cref="ClientLeftException">The client sends no more.</exception>
    public void Receive(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            Fill();
            int count = Math.Min(_end - _start, target.Length);
            _received.AsSpan(_start, count).CopyTo(target);
            _start += count;
            target = target[count..];
        }
    }

    /// <summary>Receives bytes that nobody wants.</summary>
    /// <exception cref="ClientLeftException">The client sends no more.</exception>
    public void Skip(long count)
    {
        while (count > 0)
        {
            Fill();
            int skipped = (int)Math.Min(_end - _start, count);
            _start += skipped;
            count -= skipped;
        }
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>Nothing more comes in: a receive that is under way ends. What is being answered still goes out.</summary>
    public void EndReceiving() => Shutdown(SocketShutdown.Receive);

    /// <summary>Ends what is under way in both directions.</summary>
    public void Abort() => Shutdown(SocketShutdown.Both);

    public void Dispose() => _socket.Dispose();

    private void Fill()
    {
        if (_start < _end)
        {
            return;
        }

        _start = 0;
        _end = _socket.Receive(_received);
        if (_end == 0)
        {
            throw new ClientLeftException();
        }
    }

    private void Shutdown(SocketShutdown how)
    {
        try
        {
            _socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was quicker, or its connection is over.
        }
    }
}
