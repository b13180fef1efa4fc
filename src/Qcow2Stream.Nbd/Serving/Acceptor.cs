using System.Net.Sockets;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>Accepts the clients of one endpoint, and continues after failures.</summary>
/// <param name="listener">Where they connect; it is not disposed.</param>
/// <param name="clients">Takes them over.</param>
/// <param name="onError">Receives the first of failures in a row.</param>
internal sealed class Acceptor(Listener listener, Clients clients, Action<NbdError>? onError)
{
    // There are no more file handles, for example.
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    /// <summary>Is over once cancelled, and does not throw for that.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        bool isFailing = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                clients.Take(await listener.Socket.AcceptAsync(stop).ConfigureAwait(false));
                isFailing = false;
            }
            catch (Exception e) when (stop.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The end.
            }
            catch (SocketException e)
            {
                if (!isFailing)
                {
                    onError?.Invoke(new NbdError { Exception = new IOException($"no client can be accepted: {e.Message}", e) });
                }

                isFailing = true;
                await Task.Delay(AfterFailure, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }
}
