using Microsoft.Win32.SafeHandles;

namespace Qcow2Stream.HostFiles;

/// <summary>A file read by position on its handle, whichever way it was opened.</summary>
internal abstract class HandleHostFile(string? path, SafeFileHandle handle, object? identity, bool hasDirectory) : HostFile
{
    private volatile bool _disposed;

    public sealed override string? Path { get; } = path;

    public sealed override object? Identity { get; } = identity;

    internal sealed override string? FullPath => Path is { } path ? System.IO.Path.GetFullPath(path) : null;

    internal sealed override string? HostDirectory =>
        hasDirectory && Path is { } path && !IsBesideDevices ? System.IO.Path.GetDirectoryName(path) ?? "" : null;

    /// <summary>Where /dev/stdin and the like are: what they lead to isn't there, whatever else is.</summary>
    private bool IsBesideDevices => !OperatingSystem.IsWindows() && System.IO.Path.GetDirectoryName(FullPath) is { } directory
        && (directory is "/dev" or "/dev/fd" or "/proc" || directory.StartsWith("/proc/", StringComparison.Ordinal));

    /// <summary>The handle; one that is left open for its owner is still closed to readers here.</summary>
    private SafeFileHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return handle;
        }
    }

    public sealed override (bool IsHole, long Length) GetRegion(long hostOffset, long maxLength) =>
        UnixFile.IsSupported ? UnixFile.GetRegion(Handle, hostOffset, maxLength) : base.GetRegion(hostOffset, maxLength);

    internal sealed override long GetHoleLength(long hostOffset, long maxLength) =>
        UnixFile.IsSupported ? UnixFile.GetHoleLength(Handle, hostOffset, maxLength) : base.GetHoleLength(hostOffset, maxLength);

    public sealed override long GetAllocatedLength() =>
        UnixFile.IsSupported ? UnixFile.GetAllocatedLength(Handle) : base.GetAllocatedLength();

    protected sealed override long ReadLength() => RandomAccess.GetLength(Handle);

    protected sealed override int Read(long hostOffset, Span<byte> buffer) => RandomAccess.Read(Handle, buffer, hostOffset);

    protected sealed override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(Handle, buffer, hostOffset, cancellationToken);

    protected override void Dispose(bool disposing) => _disposed = true;
}
