using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;

namespace Qcow2Stream.Crypto;

/// <summary>The splitter that spreads a LUKS master key over many stripes ("Anti-forensic stripes" of LUKS1).</summary>
internal static class AntiForensic
{
    /// <summary>Joins the stripes, which are as long as <paramref name="key"/> each, to the key.</summary>
    public static void Merge(KeyHash hash, ReadOnlySpan<byte> stripes, Span<byte> key)
    {
        IDigest digest = hash.CreateDigest();
        Span<byte> output = stackalloc byte[hash.DigestLength];
        key.Clear();
        while (stripes.Length > key.Length)
        {
            Xor(key, stripes);
            Diffuse(digest, key, output);
            stripes = stripes[key.Length..];
        }

        Xor(key, stripes);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <summary>Replaces every digest-sized part of <paramref name="block"/> by the hash of its number and itself.</summary>
    private static void Diffuse(IDigest digest, Span<byte> block, Span<byte> output)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        for (uint i = 0; !block.IsEmpty; i++)
        {
            Span<byte> part = block[..Math.Min(output.Length, block.Length)];
            BinaryPrimitives.WriteUInt32BigEndian(number, i);
            digest.BlockUpdate(number);
            digest.BlockUpdate(part);
            digest.DoFinal(output);
            output[..part.Length].CopyTo(part);
            block = block[part.Length..];
        }
    }

    private static void Xor(Span<byte> key, ReadOnlySpan<byte> stripe) => Bytes.Xor(key, stripe[..key.Length], key);
}
