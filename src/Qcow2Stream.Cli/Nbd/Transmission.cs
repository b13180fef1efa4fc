using System.Net.Sockets;
using static Qcow2Stream.Cli.Nbd.Protocol;

namespace Qcow2Stream.Cli.Nbd;

/// <summary>
/// The second phase of a connection: requests and replies. A thread takes a request and serves it while another takes the
/// next, so that a client that sends several need not wait for each, say for an image at an address.
/// </summary>
internal sealed class Transmission(ClientSocket socket, Answers answers)
{
    // What the latency of a server behind an image's address is worth; each takes up to 2 MiB while it reads.
    private const int MaxWorkers = 8;

    private readonly Lock _receiving = new();
    private readonly List<Thread> _helpers = [];
    private volatile bool _isEnding;
    private int _waiting;

    /// <summary>Serves until the client leaves, or <see cref="End"/>; all that was received is answered by then.</summary>
    public void Run()
    {
        Work();
        lock (_receiving)
        {
            // Nobody can start a helper any more.
            _isEnding = true;
        }

        _helpers.ForEach(helper => helper.Join());
    }

    /// <summary>No further request is taken. Those that are under way are answered.</summary>
    public void End()
    {
        _isEnding = true;
        socket.EndReceiving();
    }

    private void Work()
    {
        try
        {
            while (TryTake(out Request request))
            {
                answers.Give(request);
            }
        }
        catch (Exception e) when (e is SocketException or ClientLeftException or ObjectDisposedException)
        {
            // What one thread can't send, none can.
            _isEnding = true;
            socket.Abort();
        }
    }

    /// <returns>False if there will be no more.</returns>
    private bool TryTake(out Request request)
    {
        Interlocked.Increment(ref _waiting);
        lock (_receiving)
        {
            Interlocked.Decrement(ref _waiting);
            if (_isEnding || !TryReceive(out request))
            {
                _isEnding = true;
                request = default;
                return false;
            }

            if (_waiting == 0 && _helpers.Count < MaxWorkers - 1 && socket.HasMore)
            {
                StartHelper();
            }

            return true;
        }
    }

    /// <returns>False if the client has left, says that it does, or sends what is no request.</returns>
    private bool TryReceive(out Request request)
    {
        request = default;
        Span<byte> bytes = stackalloc byte[Request.Size];
        try
        {
            socket.Receive(bytes);
            if (!Request.TryParse(bytes, out request) || request.Command == Command.Disc)
            {
                return false;
            }

            if (request.Command == Command.Write)
            {
                socket.Skip(request.Length);
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or ClientLeftException or ObjectDisposedException)
        {
            return false;
        }
    }

    private void StartHelper()
    {
        Thread helper = new(Work) { IsBackground = true, Name = "NBD requests" };
        _helpers.Add(helper);
        helper.Start();
    }
}
