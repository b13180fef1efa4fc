namespace Qcow2Stream.Crypto.Luks;

/// <summary>A LUKS version 1 header, and the way from a passphrase to the cipher. Immutable.</summary>
internal sealed class Luks1Header
{
    /// <summary>The length of the header without key material, in bytes.</summary>
    public const int Length = Luks1Layout.Length;

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
    public required IReadOnlyList<Luks1KeySlot> Slots { get; init; }

    /// <summary>
    /// The rounds of PBKDF2 that a wrong passphrase takes: those of each active slot, and after each of them those of the digest. A
    /// key that is longer than a hash takes them for each block of it.
    /// </summary>
    public long RoundsToTryAll => (long)Slots.Where(s => s.Active).Aggregate(Int128.Zero, (sum, slot) => sum + OpeningOf(slot).Rounds);

    /// <summary>Reads and checks a header.</summary>
    /// <param name="header">Its <see cref="Length"/> bytes, or more.</param>
    /// <param name="availableLength">
    /// How many bytes there are for the header and its key material, from the header's start.
    /// </param>
    /// <exception cref="CryptoFormatException">The header is broken.</exception>
    /// <exception cref="CryptoUnsupportedException">It is of another version, or an algorithm is not known.</exception>
    public static Luks1Header Parse(ReadOnlySpan<byte> header, long availableLength) =>
        Luks1HeaderParser.Parse(header, availableLength);

    /// <summary>Tries to open one key slot. What that takes the caller has judged by <see cref="RoundsToTryAll"/>.</summary>
    /// <param name="slot">One of <see cref="Slots"/>.</param>
    /// <param name="keyMaterial">
    /// The <see cref="Luks1KeySlot.KeyMaterialLength"/> bytes from <see cref="Luks1KeySlot.KeyMaterialOffset"/> on.
    /// </param>
    /// <param name="passphrase">Its bytes: UTF-8, or what a key file holds.</param>
    /// <param name="cancellationToken">Looked at between the steps, and in all but short derivations.</param>
    /// <returns>The cipher; null if the slot is not active or the passphrase is not the slot's.</returns>
    /// <exception cref="ArgumentException">The key material has another length.</exception>
    public SectorCipher? TryUnlock(
        Luks1KeySlot slot,
        ReadOnlySpan<byte> keyMaterial,
        ReadOnlySpan<byte> passphrase,
        CancellationToken cancellationToken = default)
    {
        if (!slot.Active)
        {
            return null;
        }

        using Secret? masterKey = OpeningOf(slot).TryOpen(keyMaterial, passphrase, cancellationToken);
        return masterKey is null ? null : new SectorCipher(Cipher, masterKey.Bytes);
    }

    /// <summary>How a slot is opened. It says nothing of whether the slot is active.</summary>
    public LuksKeySlot OpeningOf(Luks1KeySlot slot) => new(
        slot.Index,
        new Pbkdf2Derivation(Hash, slot.Iterations, slot.Salt),
        Cipher,
        Hash,
        Cipher.TotalKeyLength,
        slot.KeyMaterialOffset,
        new LuksDigest(new Pbkdf2Derivation(Hash, MasterKeyIterations, MasterKeySalt), MasterKeyDigest));

    /// <summary>The key that a slot yields for a passphrase; with a wrong one, just as well, another.</summary>
    internal Secret RecoverMasterKey(Luks1KeySlot slot, ReadOnlySpan<byte> keyMaterial, ReadOnlySpan<byte> passphrase) =>
        OpeningOf(slot).Recover(keyMaterial, passphrase, CancellationToken.None);

    /// <summary>What <see cref="MasterKeyDigest"/> must be for this key.</summary>
    internal byte[] DigestOf(Secret masterKey)
    {
        byte[] digest = new byte[Luks1Layout.DigestLength];
        Hash.DeriveKey(masterKey.Bytes, MasterKeySalt.Span, MasterKeyIterations, digest, CancellationToken.None);
        return digest;
    }
}
