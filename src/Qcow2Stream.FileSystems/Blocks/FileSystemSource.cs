using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>
/// A volume as one open file system reads it: reads end with the file system, and with the token of what is being done.
/// </summary>
/// <param name="volume">The volume.</param>
/// <param name="siblings">The guest's other volumes, on all its disks: what the file system may be spread over.</param>
/// <param name="options">How the guest was opened.</param>
internal sealed class FileSystemSource(IBlockSource volume, IEnumerable<IBlockSource> siblings, GuestOptions options) : IBlockSource, IDisposable
{
    private const int LeastToAsk = 1 << 20;

    private volatile bool _disposed;
    private CancellationToken _token;

    public long Length { get; } = volume.Length;

    public int SectorSize => volume.SectorSize;

    /// <summary>How the guest was opened.</summary>
    public GuestOptions Options { get; } = options;

    /// <summary>The guest's other volumes; whoever reads from them asks <see cref="ThrowIfEnded"/> first.</summary>
    public IEnumerable<IBlockSource> Siblings => siblings;

    /// <summary>What the replay of a journal would have written; null if there is none to replay.</summary>
    public Overlay? Replayed { get; set; }

    public int ReadAt(long offset, Span<byte> buffer)
    {
        ThrowIfEnded();

        // Some readers loop forever when they get nothing.
        if (offset > Length)
        {
            throw new GuestException("it points past the end of the volume");
        }

        int count = volume.ReadAt(offset, buffer);
        Replayed?.Cover(offset, buffer[..count]);
        return count;
    }

    /// <summary>Fills a buffer.</summary>
    /// <exception cref="GuestException">Not all of it is inside the volume.</exception>
    public void ReadExactly(long offset, Span<byte> buffer)
    {
        if (offset > Length - buffer.Length)
        {
            throw new GuestException("it points past the end of the volume");
        }

        BlockSource.ReadExactly(this, offset, buffer);
    }

    /// <summary>Which bytes of a range are stored, counted from its first; of a few it isn't worth asking.</summary>
    public IEnumerable<StreamExtent> StoredOf(long start, long length) => length < LeastToAsk
        ? [new StreamExtent(0, length)]
        : GetExtents(start, length).Select(extent => new StreamExtent(extent.Start - start, extent.Length));

    public IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        ThrowIfDisposed();
        IEnumerable<StreamExtent> stored = volume.GetExtents(start, length);
        return Replayed?.Join(stored, start, length) ?? stored;
    }

    /// <summary>Does something whose reads a token ends; one thing at a time.</summary>
    public T Do<T>(Func<T> action, CancellationToken token)
    {
        ThrowIfDisposed();
        token.ThrowIfCancellationRequested();
        _token = token;
        try
        {
            return action();
        }
        finally
        {
            _token = default;
        }
    }

    /// <summary>Ends a read if the file system is closed, or its user doesn't want it any more.</summary>
    public void ThrowIfEnded()
    {
        ThrowIfDisposed();
        _token.ThrowIfCancellationRequested();
    }

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, typeof(GuestFileSystem));

    public void Dispose() => _disposed = true;
}
