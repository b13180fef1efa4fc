using System.Runtime.ExceptionServices;
using Qcow2Stream.Nbd.Protocol;

namespace Qcow2Stream.Nbd.Serving;

/// <summary>
/// The second phase of a connection: requests and replies. A thread takes a request and serves it while another takes the
/// next, so that a client that sends several need not wait for each, for example with an image on a web server.
/// </summary>
internal sealed class Transmission(ClientSocket socket, Answers answers, Activity activity)
{
    // What the latency of an image's web server is worth; each takes up to 2 MiB while it reads.
    private const int MaxWorkers = 8;

    private readonly Lock _receiving = new();
    private readonly List<Thread> _workers = [];
    private volatile bool _isEnding;
    private int _waiting;
    private Exception? _fault;

    /// <summary>Serves until the client leaves, or <see cref="End"/>; all that was received is answered by then.</summary>
    /// <remarks>An exception that isn't the connection's end comes out here, whichever thread met it.</remarks>
    public void Run()
    {
        Work();
        lock (_receiving)
        {
            // Nobody can start a worker any more.
            _isEnding = true;
        }

        _workers.ForEach(worker => worker.Join());
        if (_fault is { } fault)
        {
            ExceptionDispatchInfo.Throw(fault);
        }
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
                activity.BeginWork();
                try
                {
                    answers.Give(request);
                }
                finally
                {
                    activity.EndWork();
                }
            }
        }
        catch (Exception e) when (Connection.IsEnd(e))
        {
            Abandon();
        }
        catch (Exception e)
        {
            // It would end the process: nobody else waits for this thread.
            Interlocked.CompareExchange(ref _fault, e, null);
            Abandon();
        }
    }

    /// <summary>What one thread can't send, none can.</summary>
    private void Abandon()
    {
        _isEnding = true;
        socket.Abort();
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

            if (_waiting == 0 && _workers.Count < MaxWorkers - 1 && socket.HasMore)
            {
                StartWorker();
            }

            return true;
        }
    }

    /// <returns>False if the client has left, says that it does, or sends what isn't a request.</returns>
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
        catch (Exception e) when (Connection.IsEnd(e))
        {
            return false;
        }
    }

    private void StartWorker()
    {
        Thread worker = new(Work) { IsBackground = true, Name = "NBD requests" };
        _workers.Add(worker);
        worker.Start();
    }
}
