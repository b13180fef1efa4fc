using System.Runtime.ExceptionServices;
using Qcow2Stream.Nbd.Serving;

namespace Qcow2Stream.Nbd;

/// <summary>
/// Serves the guest's disk of a chain to NBD clients, read-only, with its map: which parts are zeros
/// (<c>base:allocation</c>), and which layer holds what (<c>qemu:allocation-depth</c>).
/// </summary>
/// <remarks>
/// <para>It is created over a chain, given one endpoint or more (<see cref="Listen"/>), and run once (<see cref="RunAsync"/>).</para>
/// <para>Ownership: the server owns the chain, and closes it when it is disposed, unless
/// <see cref="NbdServerOptions.LeaveOpen"/> is set. The chain may be read while the server runs, and several servers may share
/// one that stays open until the last of them is disposed.</para>
/// <para>Thread safety: <see cref="Dispose"/> and <see cref="DisposeAsync"/> may be called by any thread at any time. The other
/// members may be called by any thread, too; all are refused once the server is disposed, and <see cref="Listen"/> and
/// <see cref="RunAsync"/> once it runs.</para>
/// <para>Security: anyone who can connect can read the whole disk. There are neither passwords nor encryption (TLS). A Unix
/// socket is made for this process's user alone; a TCP port is on the loopback interface unless an address is given.</para>
/// <para>Cost: a thread for each connection, and up to seven more, as they are needed, while its client has several requests
/// under way; 2 MiB for each of them at most while it answers.</para>
/// </remarks>
public sealed class NbdServer : IDisposable, IAsyncDisposable
{
    // For a client that does not read what it asked for, and a web server of an image that does not answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Qcow2Chain _chain;
    private readonly NbdServerOptions _options;
    private readonly Export _export;
    private readonly Clients _clients;
    private readonly List<Listener> _listeners = [];
    private readonly Lock _gate = new();

    // Not disposed: a client that fails cancels it at any time, and there is nothing to give back.
    private readonly CancellationTokenSource _ending = new();
    private Task? _running;
    private ExceptionDispatchInfo? _fault;
    private bool _isDisposed;

    /// <summary>Creates a server that nobody can connect to yet.</summary>
    /// <param name="chain">What is served. The server then owns it, see <see cref="NbdServerOptions.LeaveOpen"/>.</param>
    /// <param name="options">How to serve; null for the defaults.</param>
    public NbdServer(Qcow2Chain chain, NbdServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(chain);
        _chain = chain;
        _options = options ?? new NbdServerOptions();
        if (_options.OnError is { } onError)
        {
            _options = _options with { OnError = error => Report(onError, error) };
        }

        _export = new Export(chain, _options.Description);
        _clients = new Clients(_export, _options, Fail);
    }

    /// <summary>
    /// Asks for the passphrases that reads will need (<see cref="Qcow2OpenOptions.Passphrase"/>), so that a wrong one is noticed
    /// before there are clients. One byte is read of each encrypted layer that shows in the disk, nothing of others.
    /// </summary>
    /// <exception cref="PassphraseException">There is none, or it is wrong.</exception>
    /// <exception cref="ObjectDisposedException">The chain, or the server, is disposed.</exception>
    public void Unlock()
    {
        ThrowIfDisposed();
        _export.Unlock();
    }

    /// <summary>Starts to listen. Clients can connect from now on; they are answered once the server runs.</summary>
    /// <param name="endpoint">Where. With several endpoints, all their clients count towards <see cref="NbdServerOptions.MaxConnections"/>.</param>
    /// <returns>
    /// The address for clients, as in the NBD project's doc/uri.md: <c>nbd+unix:///?socket=PATH</c>, or
    /// <c>nbd://ADDRESS:PORT</c> with the port that was free if <paramref name="endpoint"/> says 0.
    /// </returns>
    /// <exception cref="DirectoryNotFoundException">The Unix socket's directory doesn't exist.</exception>
    /// <exception cref="PathTooLongException">The Unix socket's path is longer than this system allows, which is about a hundred bytes.</exception>
    /// <exception cref="IOException">Something with the Unix socket's name exists, the port is in use, or the host refuses it.</exception>
    /// <exception cref="InvalidOperationException">The server is already running.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    public string Listen(NbdEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        lock (_gate)
        {
            ThrowIfStarted();
            Listener listener = endpoint.Open();
            _listeners.Add(listener);
            return listener.Address;
        }
    }

    /// <summary>
    /// Serves until cancelled. Then the endpoints are closed and a Unix socket's file is removed, no further request is taken,
    /// and pending requests are answered; what takes longer than five seconds is cut off.
    /// </summary>
    /// <param name="cancellationToken">Ends the server; that isn't a failure, and nothing is thrown.</param>
    /// <returns>A task that completes when the server has ended or is disposed.</returns>
    /// <exception cref="InvalidOperationException"><see cref="Listen"/> was not called, or the server is already running.</exception>
    /// <exception cref="ObjectDisposedException">The server is disposed.</exception>
    /// <remarks>
    /// A request that fails, or a client that misbehaves, ends neither the server nor other connections. An unexpected
    /// exception, also one from <see cref="NbdServerOptions.OnError"/>, ends the server, and comes out of the task.
    /// </remarks>
    public Task RunAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            ThrowIfStarted();
            if (_listeners.Count == 0)
            {
                throw new InvalidOperationException("The server has no endpoint: Listen must be called first.");
            }

            return _running = Task.Run(() => ServeAsync(cancellationToken), CancellationToken.None);
        }
    }

    /// <summary>
    /// Ends the server at once: connections are cut off in the middle of answers. <see cref="RunAsync"/>'s task completes soon
    /// after. Closes the chain, unless <see cref="NbdServerOptions.LeaveOpen"/> is set; then reads that are under way may end later.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        _ending.Cancel();
        _listeners.ForEach(listener => listener.Dispose());
        _clients.Abort();
        if (!_options.LeaveOpen)
        {
            _chain.Dispose();
        }
    }

    /// <summary>Ends the server as cancelling <see cref="RunAsync"/> does, waits for that, and then does what <see cref="Dispose"/> does.</summary>
    public async ValueTask DisposeAsync()
    {
        Task running;
        lock (_gate)
        {
            _isDisposed = true;
            running = _running ?? Task.CompletedTask;
        }

        await _ending.CancelAsync().ConfigureAwait(false);

        // A failure is reported to the caller of RunAsync.
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Dispose();
    }

    private async Task ServeAsync(CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static ending => ((CancellationTokenSource)ending!).Cancel(), _ending))
        {
            await Task.WhenAll(_listeners.Select(AcceptAsync)).ConfigureAwait(false);
        }

        _listeners.ForEach(listener => listener.Dispose());
        await _clients.EndAsync(Patience).ConfigureAwait(false);
        _fault?.Throw();
    }

    private async Task AcceptAsync(Listener listener)
    {
        try
        {
            await new Acceptor(listener, _clients, _options.OnError).RunAsync(_ending.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The other endpoints would continue.
            Fail(e);
        }
    }

    /// <summary>Reports an error. An exception of the caller's own ends the server, of whichever kind it is: connections end in some quietly.</summary>
    private void Report(Action<NbdError> onError, NbdError error)
    {
        try
        {
            onError(error);
        }
        catch (Exception e)
        {
            Fail(e);
            throw new ClientLeftException();
        }
    }

    /// <summary>Ends the server, for a reason to be reported to its owner.</summary>
    private void Fail(Exception fault)
    {
        Interlocked.CompareExchange(ref _fault, ExceptionDispatchInfo.Capture(fault), null);
        _ending.Cancel();
    }

    private void ThrowIfStarted()
    {
        ThrowIfDisposed();
        if (_running is not null)
        {
            throw new InvalidOperationException("The server is already running or has run: it can run only once.");
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);
}
