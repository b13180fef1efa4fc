using Org.BouncyCastle.Crypto;

namespace Qcow2Stream.Crypto;

/// <summary>Which cipher, in which mode, with which initialization vectors: what a header says, checked.</summary>
internal sealed class CipherSpec
{
    /// <summary>Encryption method 1 of qcow2: AES-128 in CBC.</summary>
    public static CipherSpec LegacyAes { get; } = new("aes", BlockAlgorithm.Aes, 16, SectorMode.Cbc, IvKind.Plain64, null);

    private readonly string _family;

    private CipherSpec(
        string family, BlockAlgorithm algorithm, int blockKeyLength, SectorMode mode, IvKind iv, KeyHash? essivHash)
    {
        _family = family;
        Algorithm = algorithm;
        BlockKeyLength = blockKeyLength;
        Mode = mode;
        Iv = iv;
        EssivHash = essivHash;
    }

    /// <summary>The block cipher.</summary>
    public BlockAlgorithm Algorithm { get; }

    /// <summary>The length of one key of the block cipher, in bytes.</summary>
    public int BlockKeyLength { get; }

    /// <summary>The length of the whole key, in bytes: XTS has two.</summary>
    public int TotalKeyLength => Mode == SectorMode.Xts ? 2 * BlockKeyLength : BlockKeyLength;

    /// <summary>The length of a block, in bytes.</summary>
    public int BlockLength => Algorithm == BlockAlgorithm.Cast5 ? 8 : 16;

    /// <summary>The mode.</summary>
    public SectorMode Mode { get; }

    /// <summary>The rule for initialization vectors.</summary>
    public IvKind Iv { get; }

    /// <summary>The hash that makes the key of <see cref="IvKind.Essiv"/>; null for the other kinds.</summary>
    public KeyHash? EssivHash { get; }

    /// <summary>The cipher, named as by qemu-img info: <c>aes-256</c>.</summary>
    public string CipherName => $"{_family}-{BlockKeyLength * 8}";

    /// <summary>The mode, named as by qemu-img info: <c>xts</c>.</summary>
    public string ModeName => Mode switch
    {
        SectorMode.Ecb => "ecb",
        SectorMode.Cbc => "cbc",
        SectorMode.Ctr => "ctr",
        _ => "xts",
    };

    /// <summary>The rule for initialization vectors, named as by qemu-img info: <c>plain64</c>; null if there is none.</summary>
    public string? IvName => Iv switch
    {
        IvKind.Plain => "plain",
        IvKind.Plain64 => "plain64",
        IvKind.Essiv => "essiv",
        _ => null,
    };

    /// <summary>The cipher, its mode and its initialization vectors, named as by dm-crypt: <c>aes-xts-plain64</c>.</summary>
    public string FullName => string.Join('-', new[] { _family, ModeName, EssivHash is null ? IvName : $"{IvName}:{EssivHash.Name}" }.OfType<string>());

    /// <summary>Reads a LUKS2 header's <c>encryption</c> and <c>key_size</c>.</summary>
    /// <param name="encryption">The cipher, its mode and its initialization vectors: <c>aes-xts-plain64</c>.</param>
    /// <param name="keyLength">The length of the whole key, in bytes.</param>
    /// <exception cref="CryptoFormatException">The parts do not fit each other.</exception>
    /// <exception cref="CryptoUnsupportedException">A part is not known.</exception>
    public static CipherSpec Parse(string encryption, uint keyLength)
    {
        int end = encryption.IndexOf('-', StringComparison.Ordinal);
        return end < 0
            ? throw new CryptoUnsupportedException($"encryption {encryption}", $"encryption {encryption} names no cipher mode")
            : Parse(encryption[..end], encryption[(end + 1)..], keyLength);
    }

    /// <summary>Reads a LUKS1 header's <c>cipher-name</c>, <c>cipher-mode</c> and <c>key-bytes</c>.</summary>
    /// <param name="family">The cipher without its key's length: <c>aes</c>.</param>
    /// <param name="fullMode">The mode with its vectors: <c>cbc-essiv:sha256</c>.</param>
    /// <param name="keyLength">The length of the whole key, in bytes.</param>
    /// <exception cref="CryptoFormatException">The parts do not fit each other.</exception>
    /// <exception cref="CryptoUnsupportedException">A part is not known.</exception>
    public static CipherSpec Parse(string family, string fullMode, uint keyLength)
    {
        BlockAlgorithm algorithm = family switch
        {
            "aes" => BlockAlgorithm.Aes,
            "cast5" => BlockAlgorithm.Cast5,
            "serpent" => BlockAlgorithm.Serpent,
            "twofish" => BlockAlgorithm.Twofish,
            _ => throw Unknown("cipher", family, "aes, cast5, serpent and twofish"),
        };

        string[] parts = fullMode.Split('-', 2);
        SectorMode mode = parts[0] switch
        {
            "ecb" => SectorMode.Ecb,
            "cbc" => SectorMode.Cbc,
            "ctr" => SectorMode.Ctr,
            "xts" => SectorMode.Xts,
            _ => throw Unknown("cipher mode", parts[0], "ecb, cbc, ctr and xts"),
        };
        if (mode == SectorMode.Xts && algorithm == BlockAlgorithm.Cast5)
        {
            throw new CryptoFormatException("cipher mode is xts, but cipher cast5 has blocks of 8 bytes; xts needs 16");
        }

        int blockKeyLength = CheckKeyLength(family, algorithm, mode, keyLength);
        if (parts.Length == 1)
        {
            return mode == SectorMode.Ecb
                ? new CipherSpec(family, algorithm, blockKeyLength, mode, IvKind.None, null)
                : throw new CryptoFormatException(
                    $"cipher mode is {fullMode}; it must name an IV generator, as in {fullMode}-plain64");
        }

        (IvKind iv, KeyHash? essivHash) = ParseIv(parts[1], family, algorithm);
        return new CipherSpec(family, algorithm, blockKeyLength, mode, iv, essivHash);
    }

    /// <summary>
    /// The key of <see cref="IvKind.Essiv"/>, null for the other kinds: the digest of the whole key. It goes to the
    /// variant of the cipher whose keys are as long as the digest, whatever the data's.
    /// </summary>
    public Secret? DeriveEssivKey(ReadOnlySpan<byte> key)
    {
        if (EssivHash is null)
        {
            return null;
        }

        Secret essivKey = new(EssivHash.DigestLength);
        IDigest digest = EssivHash.CreateDigest();
        digest.BlockUpdate(key);
        digest.DoFinal(essivKey.Bytes);
        return essivKey;
    }

    private static int CheckKeyLength(string family, BlockAlgorithm algorithm, SectorMode mode, uint keyLength)
    {
        uint keys = mode == SectorMode.Xts ? 2u : 1u;
        uint[] lengths = [.. BlockKeyLengths(algorithm).Select(length => length * keys)];
        return lengths.Contains(keyLength)
            ? (int)(keyLength / keys)
            : throw new CryptoFormatException(
                $"key bytes is {keyLength}; cipher {family} in mode {(keys == 2 ? "xts" : "ecb, cbc or ctr")} takes {string.Join(", ", lengths)}");
    }

    private static uint[] BlockKeyLengths(BlockAlgorithm algorithm) =>
        algorithm == BlockAlgorithm.Cast5 ? [16] : [16, 24, 32];

    private static (IvKind Iv, KeyHash? EssivHash) ParseIv(string text, string family, BlockAlgorithm algorithm)
    {
        string[] parts = text.Split(':', 2);

        // Looked up even where it is not used, as QEMU does.
        KeyHash? hash = parts.Length == 2 ? KeyHash.Find(parts[1]) : null;
        switch (parts[0])
        {
            case "plain":
                return (IvKind.Plain, null);
            case "plain64":
                return (IvKind.Plain64, null);
            case "essiv":
                break;
            default:
                throw Unknown("IV generator", parts[0], "plain, plain64 and essiv");
        }

        if (hash is null)
        {
            throw new CryptoFormatException("the IV generator is essiv without a hash; it must name one, as in essiv:sha256");
        }

        if (!BlockKeyLengths(algorithm).Contains((uint)hash.DigestLength))
        {
            throw new CryptoUnsupportedException(
                $"essiv:{hash.Name} with cipher {family}",
                $"the IV generator essiv:{hash.Name} makes keys of {hash.DigestLength} bytes; cipher {family} has none of that length");
        }

        return (IvKind.Essiv, hash);
    }

    private static CryptoUnsupportedException Unknown(string what, string name, string known) =>
        new($"{what} {name}", $"{what} {name} is not known; {known} are");
}
