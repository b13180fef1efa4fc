using Qcow2Stream.HostFiles;
using Qcow2Stream.HostFiles.Http;

namespace Qcow2Stream;

/// <summary>
/// Where an image's bytes come from: a file read by position. There is no cursor, so any number of threads may read at
/// once. It is never written to. Derive from it to read images from your own kind of store.
/// </summary>
/// <remarks>
/// A derived class implements <see cref="Path"/>, <see cref="ReadLength"/>, both <c>Read</c>s and
/// <see cref="Dispose(bool)"/>, and lets them be called by several threads at once. An <see cref="IOException"/> from
/// these comes out of the chain as a <see cref="Qcow2Exception"/> with the position; anything else comes out as it is.
/// </remarks>
public abstract class HostFile : IDisposable
{
    /// <summary>The name, for messages only; null for a file without one.</summary>
    public abstract string? Path { get; }

    /// <summary>
    /// What distinguishes this file from every other, compared by <see cref="object.Equals(object?, object?)"/>: a chain that
    /// contains the same file twice is a loop. Null where that can't be known; by default, this object.
    /// </summary>
    public virtual object? Identity => this;

    /// <summary>The path or address from the root on, where that can be known.</summary>
    internal virtual string? FullPath => Path;

    /// <summary>
    /// The directory of this host, as given, that names in this file start from; null if it isn't a file of this host opened by
    /// its path, whatever its <see cref="Path"/> looks like.
    /// </summary>
    internal virtual string? HostDirectory => null;

    /// <summary>The file that is read in the end: this one, unless it is another's stand-in.</summary>
    internal virtual HostFile Underlying => this;

    /// <summary>A regular file, opened now, for reading, shared with readers and writers alike; no lock is taken.</summary>
    /// <param name="path">The file; a pipe, a device or a directory is refused without blocking.</param>
    /// <exception cref="FileNotFoundException">It does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The host denies access.</exception>
    /// <exception cref="IOException">It can't be opened, or isn't a regular file.</exception>
    public static HostFile FromPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return PathHostFile.Open(path);
    }

    /// <summary>
    /// A stream. Its cursor is shared, so its readers take turns, unless it is a plain <see cref="FileStream"/>; nothing
    /// else may move it meanwhile.
    /// </summary>
    /// <param name="stream">Readable and seekable.</param>
    /// <param name="leaveOpen">Whether the stream stays open when this is disposed.</param>
    /// <exception cref="ArgumentException">The stream can't be read or can't seek.</exception>
    public static HostFile FromStream(Stream stream, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanRead && stream.CanSeek
            ? StreamHostFile.Of(stream, leaveOpen)
            : throw new ArgumentException("The stream must be readable and seekable.", nameof(stream));
    }

    /// <summary>A file on a web server, read by ranges over HTTP. The server is asked at the first use, not by this call.</summary>
    /// <param name="uri">An absolute address, http or https, without a user's name in it. Its query is kept out of all messages.</param>
    /// <param name="options">How to read it; null for the defaults.</param>
    /// <exception cref="ArgumentException">The address is not of this kind.</exception>
    /// <exception cref="InvalidOperationException"><see cref="HttpFileOptions.Handler"/> was changed to follow redirects after it was set.</exception>
    public static HostFile FromUri(Uri uri, HttpFileOptions? options = null) =>
        new HttpHostFile(uri, new HttpSource(options ?? HttpFileOptions.Default, uri), judge: null);

    /// <summary>The length in bytes, determined at each call: another program may write to the file.</summary>
    /// <exception cref="Qcow2Exception">The host could not get it.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed, before or during the call.</exception>
    public long GetLength()
    {
        try
        {
            return ReadLength();
        }
        catch (IOException e)
        {
            throw new Qcow2Exception($"the host could not get the file's length: {e.Message}", Path, innerException: e);
        }
    }

    /// <summary>Reads until <paramref name="buffer"/> is full or the file ends.</summary>
    /// <param name="hostOffset">Where in the file to start, in bytes; 0 or more.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <returns>The bytes read; fewer than asked only at the end of the file.</returns>
    /// <exception cref="Qcow2Exception">The host could not read; the message says where.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed, before or during the call.</exception>
    public int ReadAt(long hostOffset, Span<byte> buffer)
    {
        int total = 0;
        int readTwice = -1;
        try
        {
            while (total < buffer.Length)
            {
                int read = Read(hostOffset + total, buffer[total..]);
                ThrowIfTooMany(read, buffer.Length - total);
                if (read == 0 && IsEnd(hostOffset, total, ref readTwice))
                {
                    break;
                }

                total += read;
            }
        }
        catch (IOException e)
        {
            throw ReadError(hostOffset + total, e);
        }

        Instruments.HostRead(total);
        return total;
    }

    /// <inheritdoc cref="ReadAt"/>
    /// <param name="hostOffset">Where in the file to start, in bytes; 0 or more.</param>
    /// <param name="buffer">Receives the bytes.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<int> ReadAtAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int total = 0;
        int readTwice = -1;
        try
        {
            while (total < buffer.Length)
            {
                int read = await ReadAsync(hostOffset + total, buffer[total..], cancellationToken).ConfigureAwait(false);
                ThrowIfTooMany(read, buffer.Length - total);
                if (read == 0 && IsEnd(hostOffset, total, ref readTwice))
                {
                    break;
                }

                total += read;
            }
        }
        catch (IOException e)
        {
            throw ReadError(hostOffset + total, e);
        }

        Instruments.HostRead(total);
        return total;
    }

    /// <summary>One body for both kinds of caller: with <paramref name="async"/> false it has completed when it returns.</summary>
    internal ValueTask<int> ReadAtAsync(long hostOffset, Memory<byte> buffer, bool async, CancellationToken cancellationToken) =>
        async ? ReadAtAsync(hostOffset, buffer, cancellationToken) : new(ReadAt(hostOffset, buffer.Span));

    /// <summary>
    /// Says whether the host file has a hole at <paramref name="hostOffset"/>, and for how many bytes, at most
    /// <paramref name="maxLength"/>, that holds. Where the host doesn't know, as by default, everything is data.
    /// </summary>
    /// <param name="hostOffset">A position in the file, in bytes; 0 or more.</param>
    /// <param name="maxLength">In bytes, 1 or more.</param>
    /// <returns>The answer, and for how many bytes it holds: from 1 to <paramref name="maxLength"/>.</returns>
    public virtual (bool IsHole, long Length) GetRegion(long hostOffset, long maxLength) => (false, maxLength);

    /// <summary>
    /// For how many bytes from <paramref name="hostOffset"/> on the host file has a hole, which reads as zeros; 0 if there is none, or
    /// the host doesn't know. Never past the end of the file. Cheaper than <see cref="GetRegion"/> where there is no hole.
    /// </summary>
    internal virtual long GetHoleLength(long hostOffset, long maxLength)
    {
        (bool isHole, long length) = GetRegion(hostOffset, maxLength);
        return isHole ? Math.Clamp(length, 0, maxLength) : 0;
    }

    /// <summary>The bytes that the file takes on its host, less than its length where it has holes; the length where that can't be known.</summary>
    public virtual long GetAllocatedLength() => GetLength();

    /// <summary>
    /// Asks the host for what it takes to read the file, where that is more than opening it was: a server over the network.
    /// With <paramref name="async"/> false it has completed when it returns.
    /// </summary>
    internal virtual ValueTask ConnectAsync(bool async, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>One call of <see cref="Read"/>, for a stand-in, which gets what it throws as it is.</summary>
    internal int ReadOnce(long hostOffset, Span<byte> buffer) => Read(hostOffset, buffer);

    /// <inheritdoc cref="ReadOnce"/>
    internal ValueTask<int> ReadOnceAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        ReadAsync(hostOffset, buffer, cancellationToken);

    /// <summary>One call of <see cref="ReadLength"/>, likewise.</summary>
    internal long ReadLengthOnce() => ReadLength();

    /// <summary>Closes the file. Reads that are running end in <see cref="ObjectDisposedException"/>, or finish first.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gets the length in bytes.</summary>
    /// <exception cref="IOException">The host could not get it.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    protected abstract long ReadLength();

    /// <summary>Reads some bytes, at least one unless <paramref name="hostOffset"/> is at or past the end.</summary>
    /// <param name="hostOffset">Where in the file to start, in bytes; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; it is not empty.</param>
    /// <returns>How many bytes were read; 0 only at the end of the file and past it.</returns>
    /// <exception cref="IOException">The host could not read.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed, before or during the call.</exception>
    protected abstract int Read(long hostOffset, Span<byte> buffer);

    /// <inheritdoc cref="Read"/>
    /// <param name="hostOffset">Where in the file to start, in bytes; 0 or more.</param>
    /// <param name="buffer">Receives the bytes; it is not empty.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    protected abstract ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Closes the file; may be called more than once.</summary>
    /// <param name="disposing">True if called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);

    /// <summary>
    /// Whether a read that gave nothing was at the end. A file that grew just then is read again; a host that still gives
    /// nothing has lost the rest, and what is read must not be taken for all there is.
    /// </summary>
    private bool IsEnd(long hostOffset, int total, ref int readTwice)
    {
        long length = ReadLength();
        if (length <= hostOffset + total)
        {
            return true;
        }

        if (readTwice == total)
        {
            throw new EndOfStreamException($"it gives no more bytes, though its length is {length}");
        }

        readTwice = total;
        return false;
    }

    /// <summary>A caller's own class that claims to have read more than it could would send the reader out of its buffer.</summary>
    private static void ThrowIfTooMany(int read, int asked)
    {
        if ((uint)read > (uint)asked)
        {
            throw new InvalidOperationException($"A file's Read says that it read {read} bytes, and was asked for {asked} at most.");
        }
    }

    private Qcow2Exception ReadError(long hostOffset, IOException cause) => cause is EndOfStreamException
        ? new Qcow2FormatException($"the file ends early: {cause.Message}", Path, hostOffset: hostOffset, innerException: cause)
        : new Qcow2Exception($"the host could not read the file: {cause.Message}", Path, hostOffset: hostOffset, innerException: cause);
}
