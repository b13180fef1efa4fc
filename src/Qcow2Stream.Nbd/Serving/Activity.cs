namespace Qcow2Stream.Nbd.Serving;

/// <summary>
/// For how long a connection has had nothing for the server to do: since its last request was answered, or the client last
/// took a part of an answer. In the handshake the time counts from the start. Safe for any number of threads.
/// </summary>
internal sealed class Activity(TimeProvider time)
{
    private long _last = time.GetTimestamp();
    private int _working;
    private volatile bool _isServing;

    /// <summary>No time at all while the server itself is at work for the client.</summary>
    public TimeSpan Idle => Volatile.Read(ref _working) > 0 ? TimeSpan.Zero : time.GetElapsedTime(Volatile.Read(ref _last));

    /// <summary>The handshake is over.</summary>
    public void StartServing()
    {
        _isServing = true;
        Note();
    }

    /// <summary>The server is at work for the client, in one thread more.</summary>
    public void BeginWork() => Interlocked.Increment(ref _working);

    /// <summary>It is at work in one thread less, or this one waits for the client.</summary>
    public void EndWork()
    {
        Note();
        Interlocked.Decrement(ref _working);
    }

    /// <summary>The client has sent a request, or has taken something.</summary>
    public void Note()
    {
        if (_isServing)
        {
            Volatile.Write(ref _last, time.GetTimestamp());
        }
    }
}
