namespace Qcow2Stream.IO;

/// <summary>A seekable stream as a host file: its one cursor is shared under a lock, so readers take turns.</summary>
internal sealed class StreamHostFile : HostFile
{
    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly SemaphoreSlim _cursor = new(1, 1);
    private volatile bool _disposed;

    public StreamHostFile(Stream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;

        // One made from a bare handle goes by a placeholder, which must not be taken for a file here.
        Path = stream is FileStream file && System.IO.Path.IsPathFullyQualified(file.Name) ? file.Name : null;
    }

    public override string? Path { get; }

    public override object Identity => _stream;

    public override long GetLength()
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
        _disposed = true;
        _cursor.Release();
        if (!_leaveOpen)
        {
            _stream.Dispose();
        }
    }
}
