using System.Net.Sockets;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>One client, on its own thread.</summary>
internal sealed class Connection : IDisposable
{
    private readonly ClientSocket _socket;
    private readonly Activity _activity;
    private readonly Export _export;
    private readonly NbdServerOptions _options;
    private readonly Action<Connection, Exception?> _onEnd;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _phase = new();
    private Transmission? _transmission;
    private bool _isEnding;

    /// <summary>Takes the socket over.</summary>
    /// <param name="socket">The client's.</param>
    /// <param name="export">What is served.</param>
    /// <param name="options">How.</param>
    /// <param name="onEnd">Called once it is over, with the exception if there was an unexpected one.</param>
    public Connection(Socket socket, Export export, NbdServerOptions options, Action<Connection, Exception?> onEnd)
    {
        _activity = new Activity(options.Time);
        _socket = new ClientSocket(socket, _activity);
        _export = export;
        _options = options;
        _onEnd = onEnd;
    }

    /// <summary>Is over when the connection is, and does not fail.</summary>
    public Task Ended => _ended.Task;

    /// <summary>For how long there has been nothing to do for the client.</summary>
    public TimeSpan Idle => _activity.Idle;

    /// <summary>Whether an exception says only that the connection can't continue: clients come and go.</summary>
    public static bool IsEnd(Exception exception) => exception is ClientLeftException or ObjectDisposedException;

    /// <summary>Serves the client until it leaves, on a new thread.</summary>
    public void Start() => new Thread(Run) { IsBackground = true, Name = "NBD connection" }.Start();

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

    /// <summary>Ends it, whatever is under way.</summary>
    public void Dispose() => _socket.Dispose();

    private void Run()
    {
        Exception? fault = null;
        try
        {
            Serve();
        }
        catch (Exception e) when (IsEnd(e))
        {
            // Clients come and go.
        }
        catch (Exception e)
        {
            // It would end the process: nobody else waits for this thread.
            fault = e;
        }

        _socket.Dispose();
        _onEnd(this, fault);
        _ended.SetResult();
    }

    private void Serve()
    {
        _socket.Prepare();
        Session? session;
        using (new Timer(_ => _socket.Abort(), state: null, _options.HandshakeTimeout, Timeout.InfiniteTimeSpan))
        {
            session = new Handshake(_socket, _export).Run();
        }

        if (session is not null
            && Enter(new Transmission(_socket, new Answers(_socket, _export, session, _activity, _options.OnError), _activity)) is { } transmission)
        {
            _activity.StartServing();
            transmission.Run();
        }

        _socket.Finish();
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
