using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>
/// A volume as one open file system reads it: reads end with the file system, and with the token of what is being done.
/// </summary>
internal sealed class FileSystemSource(IBlockSource volume, GuestOptions options) : IBlockSource, IDisposable
{
    private volatile bool _disposed;
    private CancellationToken _token;

    public long Length { get; } = volume.Length;

    public int SectorSize => volume.SectorSize;

    /// <summary>How the guest was opened.</summary>
    public GuestOptions Options { get; } = options;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        ThrowIfDisposed();
        _token.ThrowIfCancellationRequested();

        // Some readers loop forever when they get nothing.
        return offset > Length ? throw new GuestException("it points past the end of the volume") : volume.ReadAt(offset, buffer);
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        ThrowIfDisposed();
        return volume.GetExtents(start, length);
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

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, typeof(GuestFileSystem));

    public void Dispose() => _disposed = true;
}
