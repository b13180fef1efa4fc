using System.Net.Sockets;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>One client, on a thread of its own.</summary>
internal sealed class Connection : IDisposable
{
    private readonly ClientSocket _socket;
    private readonly Export _export;
    private readonly TimeSpan _handshakeTime;
    private readonly Action<Connection> _ended;
    private readonly Thread _thread;
    private readonly Lock _phase = new();
    private Transmission? _transmission;
    private bool _isEnding;

    /// <summary>Takes the socket over, and serves it until the client leaves.</summary>
    /// <param name="socket">The client's.</param>
    /// <param name="export">What is served.</param>
    /// <param name="handshakeTime">How long the client may take to choose.</param>
    /// <param name="ended">Is called once it is over.</param>
    public Connection(Socket socket, Export export, TimeSpan handshakeTime, Action<Connection> ended)
    {
        _socket = new ClientSocket(socket);
        _export = export;
        _handshakeTime = handshakeTime;
        _ended = ended;
        _thread = new Thread(Run) { IsBackground = true, Name = "NBD connection" };
    }

    public void Start() => _thread.Start();

    /// <summary>Takes no further request, and leaves a handshake where it is. What is under way is answered.</summary>
    public void End()
    {
        lock (_phase)
        {
            _isEnding = true;
            _transmission?.End();
            _socket.EndReceiving();
        }
    }

    /// <summary>Waits until it is over.</summary>
    /// <returns>Whether it is.</returns>
    public bool Wait(TimeSpan time) => _thread.Join(time);

    /// <summary>Ends it, whatever is under way.</summary>
    public void Dispose() => _socket.Dispose();

    private void Run()
    {
        try
        {
            _socket.Prepare();
            Session? session;
            using (new Timer(_ => _socket.Abort(), state: null, _handshakeTime, Timeout.InfiniteTimeSpan))
            {
                session = new Handshake(_socket, _export).Run();
            }

            if (session is not null && Enter(new Transmission(_socket, new Answers(_socket, _export, session))) is { } transmission)
            {
                transmission.Run();
            }

            _socket.Finish();
        }
        catch (Exception e) when (e is SocketException or ClientLeftException or ObjectDisposedException)
        {
            // Clients come and go.
        }
        finally
        {
            _socket.Dispose();
            _ended(this);
        }
    }

    /// <returns>Null where it is to end already.</returns>
    private Transmission? Enter(Transmission transmission)
    {
        lock (_phase)
        {
            return _isEnding ? null : _transmission = transmission;
        }
    }
}
