namespace Qcow2Stream.FileSystems.Volumes.Luks;

/// <summary>A volume of the guest, as the file that LUKS is read from.</summary>
/// <param name="source">Its bytes.</param>
internal sealed class SourceFile(IBlockSource source) : HostFile
{
    public override string? Path => null;

    protected override long ReadLength() => source.Length;

    protected override int Read(long hostOffset, Span<byte> buffer) => source.ReadAt(hostOffset, buffer);

    protected override ValueTask<int> ReadAsync(long hostOffset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<int>(source.ReadAt(hostOffset, buffer.Span));
    }

    protected override void Dispose(bool disposing)
    {
        // The source is the guest's.
    }
}
