namespace Qcow2Stream.IO.Http;

/// <summary>A piece of a remote file, arrived or on its way. Safe for any number of threads.</summary>
internal sealed class Block(int length)
{
    /// <summary>Bytes: little for one round trip over a network, much for what is read by sectors.</summary>
    public const int Size = 1 << 16;

    private readonly TaskCompletionSource<byte[]> _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _startsNext;

    /// <summary>The bytes, at first those of nothing; to be filled by whoever made the block.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(length);

    /// <summary>Completes with the bytes, or with what went wrong.</summary>
    public Task<byte[]> Arrival => _arrival.Task;

    /// <summary>Marks the block as one whose reader is to start reading further ahead.</summary>
    public void StartNext() => Volatile.Write(ref _startsNext, 1);

    /// <summary>Whether the caller is the one to read further ahead: once.</summary>
    public bool TakeStart() => Volatile.Read(ref _startsNext) != 0 && Interlocked.Exchange(ref _startsNext, 0) != 0;

    public void Arrived() => _arrival.TrySetResult(Buffer);

    public void Failed(Exception e)
    {
        // Nobody may be waiting; then nobody is told.
        if (_arrival.TrySetException(e))
        {
            _ = _arrival.Task.Exception;
        }
    }
}
