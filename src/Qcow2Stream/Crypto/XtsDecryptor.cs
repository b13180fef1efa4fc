using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>XTS (IEEE 1619) with a sector as the data unit.</summary>
/// <param name="sectorLength">The length of a sector, in bytes.</param>
/// <param name="blocks">Decrypts under the first half of the key; disposed with this object.</param>
/// <param name="tweaks">Encrypts under the second half; likewise.</param>
/// <param name="iv">Likewise.</param>
internal sealed class XtsDecryptor(int sectorLength, BlockTransform blocks, BlockTransform tweaks, SectorIv iv) : SectorDecryptor(sectorLength)
{
    private readonly byte[] _vectors = new byte[MaxRun / sectorLength * iv.Length];
    private readonly byte[] _tweaks = new byte[MaxRun];

    /// <inheritdoc/>
    public override void Decrypt(Span<byte> data, long firstSector)
    {
        int sectors = data.Length / SectorLength;
        iv.Fill(_vectors, firstSector, sectors);
        tweaks.Apply(_vectors, sectors * iv.Length);
        for (int i = 0; i < sectors; i++)
        {
            XtsTweaks.Fill(_vectors.AsSpan(i * iv.Length, iv.Length), _tweaks.AsSpan(i * SectorLength, SectorLength));
        }

        Span<byte> mask = _tweaks.AsSpan(0, data.Length);
        Bytes.Xor(data, mask, Scratch.AsSpan(0, data.Length));
        blocks.Apply(Scratch, data.Length);
        Bytes.Xor(Scratch.AsSpan(0, data.Length), mask, data);
    }

    /// <inheritdoc/>
    protected override void DisposeTransforms()
    {
        blocks.Dispose();
        tweaks.Dispose();
        iv.Dispose();
        CryptographicOperations.ZeroMemory(_tweaks);
    }
}
