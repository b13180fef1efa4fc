namespace Qcow2Stream.Crypto;

/// <summary>Electronic codebook: every block by itself, so that the length of sectors plays no part.</summary>
/// <param name="blocks">Decrypts; disposed with this object.</param>
internal sealed class EcbDecryptor(BlockTransform blocks) : SectorDecryptor(Unit)
{
    /// <inheritdoc/>
    public override void Decrypt(Span<byte> data, long firstSector)
    {
        data.CopyTo(Scratch);
        blocks.Apply(Scratch, data.Length);
        Scratch.AsSpan(0, data.Length).CopyTo(data);
    }

    /// <inheritdoc/>
    protected override void DisposeTransforms() => blocks.Dispose();
}
