using System.Net;
using System.Net.Sockets;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>A client's socket, blocking: receiving and sending may happen at once, but only one of each.</summary>
/// <param name="socket">The socket.</param>
/// <param name="activity">Is told what the client takes.</param>
internal sealed class ClientSocket(Socket socket, Activity activity) : IDisposable
{
    // A hundred requests in one system call.
    private const int ReceiveBytes = 4096;

    // A reply or two: its sender is done with it the sooner.
    private const int SendBytes = 1 << 20;

    // What a client takes is noticed in parts of this size.
    private const int SendPart = 128 << 10;

    // For a client that keeps sending to a server that doesn't listen any more.
    private const int MaxDiscarded = 1 << 20;

    private readonly byte[] _received = new byte[ReceiveBytes];
    private int _start;
    private int _end;

    /// <summary>Where the client is; null where it is on this host, at a Unix socket, and before <see cref="Prepare"/>.</summary>
    public IPEndPoint? Client { get; private set; }

    /// <summary>Whether something waits to be received.</summary>
    /// <exception cref="ClientLeftException">The connection is over.</exception>
    public bool HasMore
    {
        get
        {
            try
            {
                return _start < _end || socket.Available > 0;
            }
            catch (SocketException)
            {
                throw new ClientLeftException();
            }
        }
    }

    /// <summary>Makes the socket fit for its use.</summary>
    /// <exception cref="ClientLeftException">The connection is over.</exception>
    public void Prepare()
    {
        try
        {
            socket.SendBufferSize = SendBytes;
            if (socket.ProtocolType == ProtocolType.Tcp)
            {
                Client = (IPEndPoint?)socket.RemoteEndPoint;

                // A client whose machine has gone would hold its place forever.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                socket.NoDelay = true;
            }
        }
        catch (SocketException)
        {
            throw new ClientLeftException();
        }
    }

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

    /// <summary>Receives bytes that nobody needs.</summary>
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

    /// <exception cref="ClientLeftException">The client takes no more.</exception>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        activity.EndWork();
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[socket.Send(bytes[..Math.Min(bytes.Length, SendPart)])..];
                activity.Note();
            }
        }
        catch (SocketException)
        {
            throw new ClientLeftException();
        }
        finally
        {
            activity.BeginWork();
        }
    }

    /// <summary>Nothing more comes in: a receive that is under way ends. What is being answered still goes out.</summary>
    public void EndReceiving() => Shutdown(SocketShutdown.Receive);

    /// <summary>Ends what is under way in both directions.</summary>
    public void Abort() => Shutdown(SocketShutdown.Both);

    /// <summary>Lets what has been sent arrive, which TCP doesn't do if requests are left unread.</summary>
    public void Finish()
    {
        EndReceiving();
        try
        {
            int received;
            for (int discarded = 0; discarded < MaxDiscarded && (received = socket.Receive(_received)) > 0; discarded += received)
            {
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // There is nobody for whom it could arrive.
        }
    }

    public void Dispose() => socket.Dispose();

    private void Fill()
    {
        if (_start < _end)
        {
            return;
        }

        try
        {
            _start = 0;
            _end = socket.Receive(_received);
        }
        catch (SocketException)
        {
            throw new ClientLeftException();
        }

        if (_end == 0)
        {
            throw new ClientLeftException();
        }
    }

    private void Shutdown(SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The client was quicker, or its connection is over.
        }
    }
}
