namespace Qcow2Stream.Crypto;

/// <summary>Electronic codebook: every block by itself.</summary>
/// <param name="blocks">Decrypts; disposed with this object.</param>
internal sealed class EcbDecryptor(BlockTransform blocks) : SectorDecryptor
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
