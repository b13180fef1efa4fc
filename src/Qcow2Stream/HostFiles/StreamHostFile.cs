using Qcow2Stream.Text;

namespace Qcow2Stream.HostFiles;

/// <summary>A seekable stream as a host file: its one cursor is shared under a lock, so readers take turns.</summary>
internal class StreamHostFile : HostFile
{
    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly Turns _cursor;
    private volatile bool _disposed;

    /// <summary>Initializes the file.</summary>
    /// <param name="stream">Readable and seekable.</param>
    /// <param name="leaveOpen">Whether the stream stays its caller's.</param>
    /// <param name="cursor">Guards the cursor, for streams that share one below them.</param>
    protected StreamHostFile(Stream stream, bool leaveOpen, Turns cursor)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _cursor = cursor;
    }

    public override string? Path => null;

    public override object Identity => _stream;

    /// <summary>Makes a host file of a stream: by its handle, if it is a plain file's; a caller's own class may do more than that.</summary>
    public static HostFile Of(Stream stream, bool leaveOpen) =>
        stream is FileStream file && file.GetType() == typeof(FileStream)
            ? new FileStreamHostFile(file, leaveOpen)
            : new StreamHostFile(stream, leaveOpen, new Turns());

    protected override long ReadLength()
    {
        using Turns.Turn turn = _cursor.Take();
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _stream.Length;
    }

    protected override int Read(long hostOffset, Span<byte> buffer)
    {
        using Turns.Turn turn = _cursor.Take();
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Seek(hostOffset) ? _stream.Read(buffer) : 0;
    }

    protected override async ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using Turns.Turn turn = await _cursor.TakeAsync(async: true, cancellationToken).ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Seek(hostOffset) ? await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) : 0;
    }

    /// <summary>Moves the cursor; false at the end and past it, where not every stream can be moved to.</summary>
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

        // A running read finishes first: the stream must not be closed below it.
        bool isFirst;
        using (_cursor.Take())
        {
            isFirst = !_disposed;
            _disposed = true;
        }

        if (isFirst && !_leaveOpen)
        {
            _stream.Dispose();
        }
    }
}
