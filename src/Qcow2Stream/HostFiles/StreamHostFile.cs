namespace Qcow2Stream.HostFiles;

/// <summary>A seekable stream as a host file: its one cursor is shared under a lock, so readers take turns.</summary>
internal class StreamHostFile : HostFile
{
    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly SemaphoreSlim _cursor;
    private volatile bool _disposed;

    /// <summary>Initializes the file.</summary>
    /// <param name="stream">Readable and seekable.</param>
    /// <param name="leaveOpen">Whether the stream stays its caller's.</param>
    /// <param name="cursor">Guards the cursor, for streams that share one below them.</param>
    protected StreamHostFile(Stream stream, bool leaveOpen, SemaphoreSlim cursor)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _cursor = cursor;
    }

    public override string? Path => null;

    public override object Identity => _stream;

    /// <summary>Makes a host file of a stream: by its handle, if it is a plain file's; a class of the caller's own may do more than that.</summary>
    public static HostFile Of(Stream stream, bool leaveOpen) =>
        stream is FileStream file && file.GetType() == typeof(FileStream)
            ? new FileStreamHostFile(file, leaveOpen)
            : new StreamHostFile(stream, leaveOpen, new SemaphoreSlim(1, 1));

    protected override long ReadLength()
    {
        _cursor.Wait();
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _stream.Length;
        }
        finally
        {
            _cursor.Release();
        }
    }

    protected override int Read(long hostOffset, Span<byte> buffer)
    {
        _cursor.Wait();
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Seek(hostOffset) ? _stream.Read(buffer) : 0;
        }
        finally
        {
            _cursor.Release();
        }
    }

    protected override async ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await _cursor.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Seek(hostOffset) ? await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) : 0;
        }
        finally
        {
            _cursor.Release();
        }
    }

    /// <summary>Moves the cursor; false at the end and behind, where not every stream lets itself be sent.</summary>
    private bool Seek(long hostOffset)
    {
        if (hostOffset >= _stream.Length)
        {
            return false;
        }

        _stream.Position = hostOffset;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _disposed)
        {
            return;
        }

        // A running read finishes first: the stream must not be closed below it. The semaphore itself holds
        // nothing that needs disposing, and late readers must still find it, to be told ObjectDisposedException.
        _cursor.Wait();
        bool isFirst = !_disposed;
        _disposed = true;
        _cursor.Release();
        if (isFirst && !_leaveOpen)
        {
            _stream.Dispose();
        }
    }
}
