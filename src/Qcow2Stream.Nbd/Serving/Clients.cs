using System.Net.Sockets;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>Who is connected, over whichever endpoint. Safe for any number of threads.</summary>
/// <param name="export">What is served.</param>
/// <param name="options">How many may be connected at once, and how they are served.</param>
/// <param name="failed">Receives what ends a connection abnormally.</param>
internal sealed class Clients(Export export, NbdServerOptions options, Action<Exception> failed)
{
    private readonly HashSet<Connection> _connections = [];
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isClosed;

    /// <summary>
    /// Takes the socket over: serves it on a thread of its own. If there are too many, the one that has been idle for longest is
    /// closed for it; if none has been for long enough, it is closed itself.
    /// </summary>
    public void Take(Socket client)
    {
        Connection? connection = null;
        Connection? idle = null;
        lock (_connections)
        {
            if (!_isClosed && _connections.Count >= options.MaxConnections)
            {
                (idle, TimeSpan longest) = _connections.Select(c => (c, c.Idle)).MaxBy(c => c.Idle);
                idle = longest >= options.MinIdleTime && _connections.Remove(idle) ? idle : null;
            }

            if (!_isClosed && _connections.Count < options.MaxConnections)
            {
                connection = new Connection(client, export, options, Forget);
                _connections.Add(connection);
            }
        }

        idle?.Dispose();
        if (connection is null)
        {
            client.Dispose();
        }
        else
        {
            connection.Start();
        }
    }

    /// <summary>Takes no more, and ends each connection once what is under way on it is answered.</summary>
    /// <param name="patience">Those that take longer are cut off, as all are by <see cref="Abort"/>.</param>
    public async Task EndAsync(TimeSpan patience)
    {
        Connection[] connections = Close();
        Array.ForEach(connections, connection => connection.End());
        Task ended = Task.WhenAll(connections.Select(connection => connection.Ended));
        try
        {
            await Task.WhenAny(ended, _aborted.Task).WaitAsync(patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Array.ForEach(connections, connection => connection.Dispose());
        }
    }

    /// <summary>Takes no more, and cuts off all connections.</summary>
    public void Abort()
    {
        Array.ForEach(Close(), connection => connection.Dispose());
        _aborted.TrySetResult();
    }

    private Connection[] Close()
    {
        lock (_connections)
        {
            _isClosed = true;
            return [.. _connections];
        }
    }

    private void Forget(Connection connection, Exception? fault)
    {
        lock (_connections)
        {
            _connections.Remove(connection);
        }

        if (fault is not null)
        {
            failed(fault);
        }
    }
}
