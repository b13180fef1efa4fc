namespace Qcow2Stream.HostFiles.Http;

/// <summary>
/// How long a server is waited for: as many bytes as the least rate gives in <see cref="HttpFileOptions.IdleTimeout"/> must arrive
/// within that time, then as many again, over however many answers. Only the time of requests that are under way counts. For
/// one thread at a time.
/// </summary>
internal sealed class Patience : IDisposable
{
    private readonly HttpFileOptions _options;
    private readonly TimeProvider _time;
    private readonly long _wanted;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _callers;
    private TimeSpan _left;
    private long _started;
    private long _received;

    /// <summary>Initializes the patience for one attempt to get some bytes.</summary>
    /// <param name="options">How much there is.</param>
    /// <param name="time">What it is measured with.</param>
    /// <param name="cancellationToken">Ends it, too.</param>
    public Patience(HttpFileOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        _options = options;
        _time = time;
        _wanted = Math.Max(1, (long)(options.MinBytesPerSecond * options.IdleTimeout.TotalSeconds));
        _left = options.IdleTimeout;
        _source = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _callers = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    /// <summary>Is cancelled when the patience has ended.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Says that a request is under way.</summary>
    public void Start()
    {
        _started = _time.GetTimestamp();
        _source.CancelAfter(_left);
    }

    /// <summary>Says that none is.</summary>
    public void Stop()
    {
        _source.CancelAfter(Timeout.InfiniteTimeSpan);
        TimeSpan left = _left - _time.GetElapsedTime(_started);
        _left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Says that bytes have arrived.</summary>
    public void Received(int count)
    {
        _received += count;
        if (_received >= _wanted)
        {
            _received = 0;
            _left = _options.IdleTimeout;
            Start();
        }
    }

    /// <summary>What the server did that ended it.</summary>
    public string Describe() => _received == 0
        ? $"the server sent nothing for {_options.IdleTimeout.TotalSeconds} seconds"
        : $"the server sent only {_received} bytes in {_options.IdleTimeout.TotalSeconds} seconds";

    public void Dispose()
    {
        _callers.Dispose();
        _source.Dispose();
    }
}
