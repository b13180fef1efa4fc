namespace Qcow2Stream.HostFiles.Http;

/// <summary>A piece of a remote file, arrived or on its way. Safe for any number of threads, except what its cache keeps in it.</summary>
/// <param name="file">The file.</param>
/// <param name="number">Which of its blocks this is.</param>
/// <param name="length">Its bytes: <see cref="Size"/>, or fewer for the last of a file.</param>
internal sealed class Block(HttpHostFile file, long number, int length)
{
    /// <summary>Bytes: little for one round trip over a network, much for what is read by sectors.</summary>
    public const int Size = 1 << 16;

    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public (HttpHostFile File, long Number) Key { get; } = (file, number);

    public int Length { get; private set; } = length;

    /// <summary>Where the bytes go; none before there is <see cref="BlockCache">memory</see> for them.</summary>
    public byte[] Buffer { get; set; } = [];

    /// <summary>Completes with the bytes, or with what went wrong.</summary>
    public Task<ReadOnlyMemory<byte>> Arrival => _arrival.Task;

    /// <summary>The cache's: its place among what has arrived.</summary>
    public LinkedListNode<Block>? Place { get; set; }

    /// <summary>The cache's: whether there is room for it, and it has not arrived.</summary>
    public bool IsArriving { get; set; }

    /// <summary>The cache's: whether it was read ahead, and has not been needed yet.</summary>
    public bool IsUnwanted { get; set; }

    /// <summary>The cache's: how many blocks had arrived before it.</summary>
    public long ArrivedAs { get; set; }

    /// <summary>The planner's: whether a reader that reaches it starts reading further ahead.</summary>
    public bool StartsNext { get; set; }

    /// <summary>Says that the file ends in it.</summary>
    public void EndAt(int length) => Length = Math.Min(Length, length);

    public void Arrived() => _arrival.TrySetResult(Buffer.AsMemory(0, Length));

    public void Failed(Exception e)
    {
        // Nobody may be waiting; then the error is dropped.
        if (_arrival.TrySetException(e))
        {
            _ = _arrival.Task.Exception;
        }
    }
}
