namespace Qcow2Stream.Crypto;

/// <summary>
/// Cipher block chaining, restarted at every sector. Decryption needs no chain: all blocks pass the cipher at once,
/// then each is combined with the ciphertext before it.
/// </summary>
/// <param name="sectorLength">The length of a sector, in bytes.</param>
/// <param name="blocks">Decrypts; disposed with this object.</param>
/// <param name="iv">Likewise.</param>
internal sealed class CbcDecryptor(int sectorLength, BlockTransform blocks, SectorIv iv) : SectorDecryptor(sectorLength)
{
    private readonly byte[] _vectors = new byte[MaxRun / sectorLength * iv.Length];

    /// <inheritdoc/>
    public override void Decrypt(Span<byte> data, long firstSector)
    {
        int sectors = data.Length / SectorLength;
        iv.Fill(_vectors, firstSector, sectors);
        data.CopyTo(Scratch);
        blocks.Apply(Scratch, data.Length);
        for (int i = 0; i < sectors; i++)
        {
            Span<byte> sector = Scratch.AsSpan(i * SectorLength, SectorLength);
            Span<byte> first = sector[..iv.Length];
            Span<byte> rest = sector[iv.Length..];
            Bytes.Xor(first, _vectors.AsSpan(i * iv.Length, iv.Length), first);
            Bytes.Xor(rest, data.Slice(i * SectorLength, rest.Length), rest);
        }

        Scratch.AsSpan(0, data.Length).CopyTo(data);
    }

    /// <inheritdoc/>
    protected override void DisposeTransforms()
    {
        blocks.Dispose();
        iv.Dispose();
    }
}
