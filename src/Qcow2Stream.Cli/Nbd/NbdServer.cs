using System.Diagnostics;
using System.Net.Sockets;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>Serves an export to whoever connects.</summary>
/// <param name="export">What is served.</param>
/// <param name="maxConnections">How many clients at once; to others the door is shut.</param>
internal sealed class NbdServer(Export export, int maxConnections)
{
    // Of a client that does not read what it asked for, and of a server behind an address that does not answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // There are no more file handles, say.
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly HashSet<Connection> _connections = [];

    /// <summary>How long a client may take for the handshake. Default: 30 seconds; programs need none of them.</summary>
    public TimeSpan HandshakeTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Serves until cancelled, and then until what was asked for has been answered, or for a few seconds.</summary>
    /// <param name="listener">Where clients come in; it stays the caller's.</param>
    /// <param name="stop">Ends it.</param>
    public async Task RunAsync(Socket listener, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                Take(await listener.AcceptAsync(stop).ConfigureAwait(false));
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (SocketException)
            {
                await Task.Delay(AfterFailure, CancellationToken.None).ConfigureAwait(false);
            }
        }

        listener.Close();
        End();
    }

    private void Take(Socket client)
    {
        Connection? connection = null;
        lock (_connections)
        {
            if (_connections.Count < maxConnections)
            {
                connection = new Connection(client, export, HandshakeTime, Forget);
                _connections.Add(connection);
            }
        }

        if (connection is null)
        {
            client.Dispose();
        }
        else
        {
            connection.Start();
        }
    }

    private void Forget(Connection connection)
    {
        lock (_connections)
        {
            _connections.Remove(connection);
        }
    }

    private void End()
    {
        Connection[] connections;
        lock (_connections)
        {
            connections = [.. _connections];
        }

        Array.ForEach(connections, connection => connection.End());
        long start = Stopwatch.GetTimestamp();
        foreach (Connection connection in connections)
        {
            TimeSpan left = Patience - Stopwatch.GetElapsedTime(start);
            if (!connection.Wait(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                connection.Dispose();
            }
        }
    }
}
