using System.Buffers.Binary;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>The splitter that spreads a LUKS volume's key over many stripes ("Anti-forensic stripes" of LUKS1).</summary>
internal static class AntiForensic
{
    /// <summary>The only number that there is: what cryptsetup and QEMU write, and demand. It bounds the key material at 64 × 4000 bytes.</summary>
    public const int Stripes = 4000;

    /// <summary>The length of the key material for a key of <paramref name="keyLength"/> bytes, up to the end of its last sector.</summary>
    public static int MaterialLength(int keyLength) =>
        ((keyLength * Stripes) + SectorDecryptor.Unit - 1) / SectorDecryptor.Unit * SectorDecryptor.Unit;

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
