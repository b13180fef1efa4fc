using DiscUtils.Streams;

namespace Qcow2Stream.FileSystems;

/// <summary>
/// Bytes by position: a disk, a partition, or whatever else a partition table or a file system can be on. Everything in
/// this library reads through it.
/// </summary>
/// <remarks>
/// <para>Thread safety: any number of threads may call any of the members at once. A <see cref="Qcow2Chain"/> reads for all of
/// them at the same time, a <see cref="Stream"/> for one after another (<see cref="BlockSource"/> makes a source of either).</para>
/// <para>To read from something else, implement <see cref="Length"/> and <see cref="ReadAt"/>; the other members have a
/// default. A <see cref="Guest"/> disposes a source that is <see cref="IDisposable"/>, unless <see cref="GuestOptions.LeaveOpen"/> is set.</para>
/// </remarks>
public interface IBlockSource
{
    /// <summary>The size in bytes; it doesn't change.</summary>
    long Length { get; }

    /// <summary>
    /// The size of a sector in bytes, a power of two from 512 on: for a partition, that of its partition table; for everything
    /// else 512, unless it is known. Reads need not be aligned to it.
    /// </summary>
    int SectorSize => BlockSource.DefaultSectorSize;

    /// <summary>Reads bytes by position.</summary>
    /// <param name="offset">Where to start, in bytes from the start; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; its content is undefined if the read fails.</param>
    /// <returns>
    /// The bytes read: as many as <paramref name="buffer"/> holds, fewer only at the end, 0 at the end and past it.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> is negative.</exception>
    /// <exception cref="IOException">The bytes can't be read; a chain throws its <see cref="Qcow2Exception"/>.</exception>
    /// <exception cref="ObjectDisposedException">What it reads from is disposed.</exception>
    int ReadAt(long offset, Span<byte> buffer);

    /// <summary>The parts of a range that are stored; the rest of it is zeros. If that isn't known, all of it counts as stored.</summary>
    /// <param name="start">Where the range starts, in bytes; 0 or more.</param>
    /// <param name="length">How long it is, in bytes; 0 or more. It is cut at the end of the source.</param>
    /// <returns>Lazily, in order, without overlap, and cut at the ends of the range.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is negative.</exception>
    IEnumerable<StreamExtent> GetExtents(long start, long length) => BlockSource.Whole(this, start, length);
}
