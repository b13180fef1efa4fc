using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems.Blocks;

/// <summary>What a guest reads from, until it is disposed.</summary>
/// <param name="disk">The disk.</param>
/// <param name="owned">What is disposed with it; may be null.</param>
internal sealed class DiskSource(IBlockSource disk, IDisposable? owned) : IBlockSource, IDisposable
{
    private int _disposed;

    public long Length { get; } = disk.Length;

    public int SectorSize => disk.SectorSize;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        ThrowIfDisposed();
        return disk.ReadAt(offset, buffer);
    }

    public IEnumerable<StreamExtent> GetExtents(long start, long length)
    {
        ThrowIfDisposed();
        return disk.GetExtents(start, length);
    }

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, typeof(Guest));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            owned?.Dispose();
        }
    }
}
