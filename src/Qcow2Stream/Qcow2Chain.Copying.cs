using Qcow2Stream.Copying;
using Qcow2Stream.Text;

namespace Qcow2Stream;

/// <content>The disk as a whole: copied, and compared.</content>
public sealed partial class Qcow2Chain
{
    /// <summary>
    /// Copies a range of the disk into a stream, reading ahead on several cores. Zeros are written too; to leave them out,
    /// see <see cref="CopySparseTo"/>.
    /// </summary>
    /// <param name="guestOffset">Where to start, in bytes from the start of the disk; 0 or more.</param>
    /// <param name="length">How many bytes, 0 or more; the copy ends with the disk.</param>
    /// <param name="destination">Receives the bytes. After an error it has some or all of the bytes before it, and none after it.</param>
    /// <param name="progress">Receives, after each piece and in order, how many bytes are done; may be null.</param>
    /// <param name="cancellationToken">Ends the copy.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    /// <exception cref="Qcow2Exception">Bytes can't be read; the message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public void CopyTo(
        long guestOffset, long length, Stream destination, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ChainCopy.RunAsync(Inner, guestOffset, EndOf(guestOffset, length), destination, written: null, progress, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="CopyTo"/>
    public Task CopyToAsync(
        long guestOffset, long length, Stream destination, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return ChainCopy.RunAsync(
            Inner, guestOffset, EndOf(guestOffset, length), destination, written: null, progress, async: true, cancellationToken);
    }

    /// <summary>
    /// Copies the whole disk into a stream and leaves out zeros: what isn't stored isn't written, nor are blocks of 4 KiB
    /// that hold only zeros. Where the host's file system supports it, a file gets holes there. Reads ahead on several cores.
    /// </summary>
    /// <param name="destination">
    /// Receives the disk. It must be seekable and positioned at its end, as a new file is: what is left out must read as zeros. After an
    /// error it has some or all of the bytes before it, and none after it.
    /// </param>
    /// <param name="progress">
    /// Receives, after each piece and in order, how many bytes are done of what is stored
    /// (<see cref="Qcow2ChainStream.Extents"/>); may be null. To know the total, the tables are walked first.
    /// </param>
    /// <param name="cancellationToken">Ends the copy.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> can't seek, or isn't positioned at its end.</exception>
    /// <exception cref="Qcow2Exception">Bytes can't be read; the message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">The chain is disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public void CopySparseTo(Stream destination, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckSparse(destination);
        ChainCopy.RunSparseAsync(Inner, destination, progress, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="CopySparseTo"/>
    public Task CopySparseToAsync(
        Stream destination, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckSparse(destination);
        return ChainCopy.RunSparseAsync(Inner, destination, progress, async: true, cancellationToken);
    }

    /// <summary>
    /// Finds the first byte at which two disks differ. Past its end a disk is zeros, so disks of different
    /// <see cref="Length"/> may have no difference. What neither of them stores is not read.
    /// </summary>
    /// <param name="other">The other disk.</param>
    /// <param name="progress">
    /// Receives, after each piece and in order, how many bytes are compared of what either of them stores
    /// (<see cref="Qcow2ChainStream.Extents"/>); may be null. To know the total, the tables are walked first.
    /// </param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    /// <returns>Where it is, in bytes from the start of the disks; null if there is none.</returns>
    /// <exception cref="Qcow2Exception">Bytes before the first difference can't be read; the message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">A chain is disposed.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public long? FindDifference(Qcow2Chain other, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(other);
        return DiskComparison.RunAsync(Inner, other.Inner, progress, async: false, cancellationToken).Now();
    }

    /// <inheritdoc cref="FindDifference"/>
    public Task<long?> FindDifferenceAsync(
        Qcow2Chain other, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(other);
        return DiskComparison.RunAsync(Inner, other.Inner, progress, async: true, cancellationToken);
    }

    private void CheckSparse(Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        Inner.ThrowIfDisposed();
        if (!destination.CanSeek || !destination.CanWrite || destination.Position != destination.Length)
        {
            throw new ArgumentException("The stream must be seekable, writable and positioned at its end.", nameof(destination));
        }
    }

    private long EndOf(long guestOffset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return guestOffset + Inner.Clip(guestOffset, length);
    }
}
