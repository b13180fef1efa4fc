using System.Buffers.Binary;

namespace Qcow2Stream.Crypto;

/// <summary>Makes the initialization vectors of consecutive sectors. Safe for one thread at a time.</summary>
/// <param name="kind">The rule; not <see cref="IvKind.None"/>.</param>
/// <param name="length">The length of one vector, that of the cipher's blocks, in bytes.</param>
/// <param name="step">How much the number grows from one sector to the next.</param>
/// <param name="essiv">Encrypts the numbers for <see cref="IvKind.Essiv"/>; disposed with this object.</param>
internal sealed class SectorIv(IvKind kind, int length, int step, BlockTransform? essiv) : IDisposable
{
    private readonly ulong _mask = kind == IvKind.Plain ? uint.MaxValue : ulong.MaxValue;

    /// <summary>The length of one vector, in bytes.</summary>
    public int Length => length;

    /// <summary>Puts the vectors of <paramref name="count"/> sectors one after the other into <paramref name="vectors"/>.</summary>
    public void Fill(byte[] vectors, long firstSector, int count)
    {
        Span<byte> all = vectors.AsSpan(0, count * length);
        all.Clear();
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(all[(i * length)..], ((ulong)firstSector + ((ulong)i * (ulong)step)) & _mask);
        }

        essiv?.Apply(vectors, all.Length);
    }

    /// <summary>Lets go of the key.</summary>
    public void Dispose() => essiv?.Dispose();
}
