using Qcow2Stream.HostFiles;
using Qcow2Stream.Text;

namespace Qcow2Stream.Opening;

/// <summary>A file that one of DiscUtils' locators opened; whatever a damaged file system makes DiscUtils throw is an <see cref="IOException"/>.</summary>
/// <param name="stream">The file.</param>
/// <param name="path">Its path, as the locator takes it.</param>
/// <param name="fullPath">The one form of that path, by which the file is known.</param>
/// <param name="turn">Shared by all files whose reads move one cursor.</param>
internal sealed class LocatorHostFile(Stream stream, string path, string fullPath, Turns turn)
    : StreamHostFile(stream, leaveOpen: false, turn)
{
    public override string Path { get; } = path;

    internal override string FullPath { get; } = fullPath;

    public override object Identity => FullPath;

    protected override int Read(long hostOffset, Span<byte> buffer)
    {
        try
        {
            return base.Read(hostOffset, buffer);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw new IOException(e.Message, e);
        }
    }

    protected override async ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await base.ReadAsync(hostOffset, buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsDamage(e))
        {
            throw new IOException(e.Message, e);
        }
    }

    private static bool IsDamage(Exception e) => e is not (IOException or ObjectDisposedException or OperationCanceledException);
}
