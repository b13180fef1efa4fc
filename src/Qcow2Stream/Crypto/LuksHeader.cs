using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>A LUKS version 1 header, and the way from a passphrase to the cipher. Immutable.</summary>
internal sealed class LuksHeader
{
    /// <summary>The length of the header without key material, in bytes.</summary>
    public const int Length = LuksLayout.Length;

    /// <summary>The cipher, its mode and its initialization vectors.</summary>
    public required CipherSpec Cipher { get; init; }

    /// <summary>The hash of PBKDF2 and of the anti-forensic stripes.</summary>
    public required KeyHash Hash { get; init; }

    /// <summary>Where the data starts, in bytes from the start of the header. A qcow2 image makes no use of it.</summary>
    public required long PayloadOffset { get; init; }

    /// <summary>PBKDF2 of the master key, 20 bytes of it: shows whether a passphrase was right.</summary>
    public required ReadOnlyMemory<byte> MasterKeyDigest { get; init; }

    /// <summary>The salt of <see cref="MasterKeyDigest"/>.</summary>
    public required ReadOnlyMemory<byte> MasterKeySalt { get; init; }

    /// <summary>The rounds of <see cref="MasterKeyDigest"/>.</summary>
    public required uint MasterKeyIterations { get; init; }

    /// <summary>The UUID, as the header has it: unchecked, one character a byte, to be escaped before it is shown.</summary>
    public required string Uuid { get; init; }

    /// <summary>All eight key slots.</summary>
    public required IReadOnlyList<LuksKeySlot> Slots { get; init; }

    /// <summary>
    /// The rounds of PBKDF2 that a wrong passphrase takes: those of each active slot, and after each of them those of the digest. A
    /// key that is longer than a hash takes them for each block of it.
    /// </summary>
    public long RoundsToTryAll => Slots.Where(s => s.Active)
        .Sum(s => (s.Iterations * KeyBlocks(Cipher.TotalKeyLength)) + (MasterKeyIterations * KeyBlocks(LuksLayout.DigestLength)));

    /// <summary>Reads and checks a header.</summary>
    /// <param name="header">Its <see cref="Length"/> bytes, or more.</param>
    /// <param name="availableLength">
    /// How many bytes there are for the header and its key material, from the header's start.
    /// </param>
    /// <exception cref="CryptoFormatException">The header is broken.</exception>
    /// <exception cref="CryptoUnsupportedException">It is of another version, or an algorithm is not known.</exception>
    public static LuksHeader Parse(ReadOnlySpan<byte> header, long availableLength) =>
        LuksHeaderParser.Parse(header, availableLength);

    /// <summary>Tries to open one key slot. What that takes the caller has judged by <see cref="RoundsToTryAll"/>.</summary>
    /// <param name="slot">One of <see cref="Slots"/>.</param>
    /// <param name="keyMaterial">
    /// The <see cref="LuksKeySlot.KeyMaterialLength"/> bytes from <see cref="LuksKeySlot.KeyMaterialOffset"/> on.
    /// </param>
    /// <param name="passphrase">Its bytes: UTF-8, or what a key file holds.</param>
    /// <param name="cancellationToken">Looked at between the steps, and in all but short derivations.</param>
    /// <returns>The cipher; null if the slot is not active or the passphrase is not the slot's.</returns>
    /// <exception cref="ArgumentException">The key material has another length.</exception>
    public SectorCipher? TryUnlock(
        LuksKeySlot slot,
        ReadOnlySpan<byte> keyMaterial,
        ReadOnlySpan<byte> passphrase,
        CancellationToken cancellationToken = default)
    {
        if (!slot.Active)
        {
            return null;
        }

        using Secret masterKey = RecoverMasterKey(slot, keyMaterial, passphrase, cancellationToken);
        return CryptographicOperations.FixedTimeEquals(DigestOf(masterKey, cancellationToken), MasterKeyDigest.Span)
            ? new SectorCipher(Cipher, masterKey.Bytes)
            : null;
    }

    /// <summary>The key that a slot yields for a passphrase; with a wrong one, just as well, another.</summary>
    internal Secret RecoverMasterKey(
        LuksKeySlot slot, ReadOnlySpan<byte> keyMaterial, ReadOnlySpan<byte> passphrase, CancellationToken cancellationToken = default)
    {
        if (keyMaterial.Length != slot.KeyMaterialLength)
        {
            throw new ArgumentException(
                $"{keyMaterial.Length} bytes are not the {slot.KeyMaterialLength} of the slot", nameof(keyMaterial));
        }

        using Secret slotKey = new(Cipher.TotalKeyLength);
        Hash.DeriveKey(passphrase, slot.Salt.Span, slot.Iterations, slotKey.Bytes, cancellationToken);

        using var stripes = Secret.CopyOf(keyMaterial);
        using (SectorCipher slotCipher = new(Cipher, slotKey.Bytes))
        {
            slotCipher.Decrypt(stripes.Bytes, firstSector: 0);
        }

        Secret masterKey = new(Cipher.TotalKeyLength);
        AntiForensic.Merge(Hash, stripes.Bytes.AsSpan(0, slot.Stripes * Cipher.TotalKeyLength), masterKey.Bytes);
        return masterKey;
    }

    /// <summary>What <see cref="MasterKeyDigest"/> must be for this key.</summary>
    internal byte[] DigestOf(Secret masterKey, CancellationToken cancellationToken = default)
    {
        byte[] digest = new byte[LuksLayout.DigestLength];
        Hash.DeriveKey(masterKey.Bytes, MasterKeySalt.Span, MasterKeyIterations, digest, cancellationToken);
        return digest;
    }

    private long KeyBlocks(int length) => (length + Hash.DigestLength - 1) / Hash.DigestLength;
}
