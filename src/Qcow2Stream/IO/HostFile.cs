namespace Qcow2Stream.IO;

/// <summary>
/// A file of the host, read by position: there is no cursor, so any number of threads may read at once.
/// It is never written to.
/// </summary>
internal abstract class HostFile : IDisposable
{
    /// <summary>The name for messages, as the caller gave it; null for a stream without one.</summary>
    public abstract string? Path { get; }

    /// <summary>The same from the root on.</summary>
    public virtual string? FullPath => Path is { } path ? System.IO.Path.GetFullPath(path) : null;

    /// <summary>What tells this file from every other that is open; null where that can't be known.</summary>
    public abstract object? Identity { get; }

    /// <summary>The length in bytes, asked anew at each call: another program may write to the file.</summary>
    /// <exception cref="Qcow2Exception">The host could not tell.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed, before the call or meanwhile.</exception>
    public long GetLength()
    {
        try
        {
            return ReadLength();
        }
        catch (IOException e)
        {
            throw new Qcow2Exception($"the host could not tell the file's length: {e.Message}", Path, innerException: e);
        }
    }

    /// <summary>Reads until <paramref name="buffer"/> is full or the file ends.</summary>
    /// <returns>The bytes read; fewer than asked only at the end of the file.</returns>
    /// <exception cref="Qcow2Exception">The host could not read; the message says where.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed, before the call or meanwhile.</exception>
    public int ReadAt(long hostOffset, Span<byte> buffer)
    {
        int total = 0;
        int readTwice = -1;
        try
        {
            while (total < buffer.Length)
            {
                int read = Read(hostOffset + total, buffer[total..]);
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

        return total;
    }

    /// <inheritdoc cref="ReadAt"/>
    public async ValueTask<int> ReadAtAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int total = 0;
        int readTwice = -1;
        try
        {
            while (total < buffer.Length)
            {
                int read = await ReadAsync(hostOffset + total, buffer[total..], cancellationToken).ConfigureAwait(false);
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

        return total;
    }

    /// <summary>One body for both kinds of caller: with <paramref name="async"/> false it has completed when it returns.</summary>
    public ValueTask<int> ReadAtAsync(long hostOffset, Memory<byte> buffer, bool async, CancellationToken cancellationToken) =>
        async ? ReadAtAsync(hostOffset, buffer, cancellationToken) : new(ReadAt(hostOffset, buffer.Span));

    /// <summary>
    /// Says whether the host file has a hole at <paramref name="hostOffset"/>, and for how many bytes, at most
    /// <paramref name="maxLength"/>, that holds. Where the host can't tell, all is data.
    /// </summary>
    public virtual (bool IsHole, long Length) GetRegion(long hostOffset, long maxLength) => (false, maxLength);

    /// <summary>The bytes that the file takes on its host, less than its length where it has holes; the length where that can't be known.</summary>
    public virtual long GetAllocatedLength() => GetLength();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="GetLength"/>
    protected abstract long ReadLength();

    /// <summary>Reads some bytes, at least one unless <paramref name="hostOffset"/> is at or past the end.</summary>
    protected abstract int Read(long hostOffset, Span<byte> buffer);

    /// <inheritdoc cref="Read"/>
    protected abstract ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken);

    protected abstract void Dispose(bool disposing);

    /// <summary>
    /// Whether a read that gave nothing was at the end. A file that grew just then is read once more; a host that still gives
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

    private Qcow2Exception ReadError(long hostOffset, IOException cause) => cause is EndOfStreamException
        ? new Qcow2FormatException($"the file ends early: {cause.Message}", Path, hostOffset: hostOffset, innerException: cause)
        : new Qcow2Exception($"the host could not read the file: {cause.Message}", Path, hostOffset: hostOffset, innerException: cause);
}
