using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;
using Qcow2Stream.FileSystems.Blocks;

namespace Qcow2Stream.FileSystems.Btrfs;

/// <summary>The checksum of a file system, of one of four kinds.</summary>
internal sealed class BtrfsChecksum
{
    private const int Longest = 32;

    private readonly Kind _kind;

    /// <exception cref="GuestException">The kind is not known.</exception>
    public BtrfsChecksum(int kind)
    {
        _kind = (Kind)kind;
        Length = _kind switch
        {
            Kind.Crc32C => 4,
            Kind.XxHash64 => 8,
            Kind.Sha256 or Kind.Blake2b => Longest,
            _ => throw new GuestException($"its kind of checksum ({kind}) is not known"),
        };
    }

    private enum Kind
    {
        Crc32C,
        XxHash64,
        Sha256,
        Blake2b,
    }

    /// <summary>How long a sum is, in bytes.</summary>
    public int Length { get; }

    /// <summary>Whether a sum is that of some bytes.</summary>
    public bool IsRight(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> sum)
    {
        Span<byte> right = stackalloc byte[Longest];
        Compute(bytes, right);
        return sum[..Length].SequenceEqual(right[..Length]);
    }

    private void Compute(ReadOnlySpan<byte> bytes, Span<byte> sum)
    {
        switch (_kind)
        {
            case Kind.Crc32C:
                BinaryPrimitives.WriteUInt32LittleEndian(sum, ~Castagnoli.Add(uint.MaxValue, bytes));
                break;
            case Kind.XxHash64:
                BinaryPrimitives.WriteUInt64LittleEndian(sum, XxHash64.HashToUInt64(bytes));
                break;
            case Kind.Sha256:
                SHA256.HashData(bytes, sum);
                break;
            default:
                Blake2bDigest digest = new(Longest * 8);
                digest.BlockUpdate(bytes);
                digest.DoFinal(sum);
                break;
        }
    }
}
