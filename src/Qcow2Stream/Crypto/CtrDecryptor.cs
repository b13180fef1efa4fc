using System.Buffers.Binary;

namespace Qcow2Stream.Crypto;

/// <summary>Counter mode, restarted at every sector.</summary>
/// <param name="sectorLength">The length of a sector, in bytes.</param>
/// <param name="blocks">Encrypts (the counters); disposed with this object.</param>
/// <param name="iv">Likewise.</param>
internal sealed class CtrDecryptor(int sectorLength, BlockTransform blocks, SectorIv iv) : SectorDecryptor(sectorLength)
{
    private readonly byte[] _vectors = new byte[MaxRun / sectorLength * iv.Length];

    /// <inheritdoc/>
    public override void Decrypt(Span<byte> data, long firstSector)
    {
        int sectors = data.Length / SectorLength;
        iv.Fill(_vectors, firstSector, sectors);
        for (int i = 0; i < sectors; i++)
        {
            Count(_vectors.AsSpan(i * iv.Length, iv.Length), Scratch.AsSpan(i * SectorLength, SectorLength));
        }

        blocks.Apply(Scratch, data.Length);
        Bytes.Xor(data, Scratch.AsSpan(0, data.Length), data);
    }

    /// <inheritdoc/>
    protected override void DisposeTransforms()
    {
        blocks.Dispose();
        iv.Dispose();
    }

    /// <summary>Fills a sector with the numbers from <paramref name="first"/> on, big-endian and as wide as it is.</summary>
    private static void Count(ReadOnlySpan<byte> first, Span<byte> counters)
    {
        if (first.Length == sizeof(ulong))
        {
            ulong counter = BinaryPrimitives.ReadUInt64BigEndian(first);
            for (; !counters.IsEmpty; counters = counters[first.Length..])
            {
                BinaryPrimitives.WriteUInt64BigEndian(counters, counter++);
            }
        }
        else
        {
            UInt128 counter = BinaryPrimitives.ReadUInt128BigEndian(first);
            for (; !counters.IsEmpty; counters = counters[first.Length..])
            {
                BinaryPrimitives.WriteUInt128BigEndian(counters, counter++);
            }
        }
    }
}
