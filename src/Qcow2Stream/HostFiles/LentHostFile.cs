namespace Qcow2Stream.HostFiles;

/// <summary>A file that its caller keeps: it is read here, and closed to readers here, and nothing else happens to it.</summary>
internal sealed class LentHostFile(HostFile file) : HostFile
{
    private volatile bool _disposed;

    public override string? Path => file.Path;

    public override object? Identity => file.Identity;

    internal override string? FullPath => file.FullPath;

    internal override string? HostDirectory => file.HostDirectory;

    internal override HostFile Underlying => file.Underlying;

    private HostFile Open
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return file;
        }
    }

    public override (bool IsHole, long Length) GetRegion(long hostOffset, long maxLength) => Open.GetRegion(hostOffset, maxLength);

    internal override long GetHoleLength(long hostOffset, long maxLength) => Open.GetHoleLength(hostOffset, maxLength);

    public override long GetAllocatedLength() => Open.GetAllocatedLength();

    internal override ValueTask ConnectAsync(bool async, CancellationToken cancellationToken) => Open.ConnectAsync(async, cancellationToken);

    protected override long ReadLength() => Open.ReadLengthOnce();

    protected override int Read(long hostOffset, Span<byte> buffer) => Open.ReadOnce(hostOffset, buffer);

    protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        Open.ReadOnceAsync(hostOffset, buffer, cancellationToken);

    protected override void Dispose(bool disposing) => _disposed = true;
}
