namespace Qcow2Stream.FileSystems.Volumes.Luks;

/// <summary>What LUKS protects, by position. Its zeros are not told: encrypted, they look like anything else.</summary>
/// <param name="volume">The open volume, which is then owned.</param>
internal sealed class LuksSource(LuksVolume volume) : IBlockSource, IDisposable
{
    public LuksVolume Volume => volume;

    public long Length => volume.Length;

    public int ReadAt(long offset, Span<byte> buffer) => volume.ReadAt(offset, buffer);

    /// <summary>Wipes the key.</summary>
    public void Dispose() => volume.Dispose();
}
