using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.IO;

/// <summary>
/// A <see cref="FileStream"/> as a host file: read by position on its handle, so that readers need not take turns at its
/// cursor, which stays where it is.
/// </summary>
internal sealed class FileStreamHostFile : HostFile
{
    private readonly FileStream _stream;
    private readonly SafeFileHandle _handle;
    private readonly bool _leaveOpen;
    private volatile bool _disposed;

    public FileStreamHostFile(FileStream stream, bool leaveOpen)
    {
        _stream = stream;
        _handle = stream.SafeFileHandle;
        _leaveOpen = leaveOpen;

        // One made from a bare handle goes by a placeholder, which must not be taken for a file here.
        Path = System.IO.Path.IsPathFullyQualified(stream.Name) ? stream.Name : null;
        Identity = UnixFile.IsSupported ? UnixFile.GetIdentity(_handle) : stream;
    }

    public override string? Path { get; }

    public override object Identity { get; }

    public override long GetLength() => RandomAccess.GetLength(OpenHandle());

    public override (bool IsHole, long Length) GetRegion(long hostOffset, long maxLength) =>
        UnixFile.IsSupported ? UnixFile.GetRegion(OpenHandle(), hostOffset, maxLength) : base.GetRegion(hostOffset, maxLength);

    public override long GetAllocatedLength() =>
        UnixFile.IsSupported ? UnixFile.GetAllocatedLength(OpenHandle()) : base.GetAllocatedLength();

    protected override int Read(long hostOffset, Span<byte> buffer) => RandomAccess.Read(OpenHandle(), buffer, hostOffset);

    protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(OpenHandle(), buffer, hostOffset, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        if (disposing && !_leaveOpen)
        {
            _stream.Dispose();
        }
    }

    private SafeFileHandle OpenHandle()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _handle;
    }
}
