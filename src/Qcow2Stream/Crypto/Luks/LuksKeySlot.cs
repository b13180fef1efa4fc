namespace Qcow2Stream.Crypto.Luks;

/// <summary>How one key slot, of either version of LUKS, gives the volume's key for a passphrase. Immutable.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Derivation">How the slot's own key is made of the passphrase.</param>
/// <param name="AreaCipher">What the key material is encrypted with, under that key, in sectors of 512 bytes from number 0 on.</param>
/// <param name="SplitHash">The hash of the anti-forensic stripes that the key material is.</param>
/// <param name="KeyLength">The length of the volume's key, in bytes.</param>
/// <param name="MaterialOffset">Where the key material starts, in bytes from the start of the header.</param>
/// <param name="Digest">What shows whether the key is the right one.</param>
internal sealed record LuksKeySlot(
    int Index,
    KeyDerivation Derivation,
    CipherSpec AreaCipher,
    KeyHash SplitHash,
    int KeyLength,
    long MaterialOffset,
    LuksDigest Digest)
{
    /// <summary>How long the key material is, in bytes, up to the end of its last sector.</summary>
    public int MaterialLength => AntiForensic.MaterialLength(KeyLength);

    /// <summary>What a wrong passphrase takes, in rounds of PBKDF2 or what takes about as long.</summary>
    public Int128 Rounds => Derivation.Rounds(AreaCipher.TotalKeyLength) + Digest.Rounds;

    /// <summary>Tries a passphrase. What that takes the caller has judged by <see cref="Rounds"/> and the derivation's memory.</summary>
    /// <param name="material">The <see cref="MaterialLength"/> bytes from <see cref="MaterialOffset"/> on.</param>
    /// <param name="passphrase">Its bytes: UTF-8, or what a key file holds.</param>
    /// <param name="cancellationToken">Looked at between the steps, and in all but short derivations.</param>
    /// <returns>The volume's key; null if the passphrase is not the slot's.</returns>
    /// <exception cref="ArgumentException">The key material has another length.</exception>
    /// <exception cref="OutOfMemoryException">The system does not give the memory for the derivation.</exception>
    public Secret? TryOpen(ReadOnlySpan<byte> material, ReadOnlySpan<byte> passphrase, CancellationToken cancellationToken)
    {
        Secret key = Recover(material, passphrase, cancellationToken);
        bool isRight = false;
        try
        {
            isRight = Digest.Matches(key, cancellationToken);
            return isRight ? key : null;
        }
        finally
        {
            if (!isRight)
            {
                key.Dispose();
            }
        }
    }

    /// <summary>The key that the slot yields for a passphrase; with a wrong one, just as well, another.</summary>
    public Secret Recover(ReadOnlySpan<byte> material, ReadOnlySpan<byte> passphrase, CancellationToken cancellationToken)
    {
        if (material.Length != MaterialLength)
        {
            throw new ArgumentException($"{material.Length} bytes are not the {MaterialLength} of the slot", nameof(material));
        }

        using Secret slotKey = new(AreaCipher.TotalKeyLength);
        Derivation.Derive(passphrase, slotKey.Bytes, cancellationToken);

        using var stripes = Secret.CopyOf(material);
        using (SectorCipher slotCipher = new(AreaCipher, slotKey.Bytes))
        {
            slotCipher.Decrypt(stripes.Bytes, firstSector: 0);
        }

        Secret key = new(KeyLength);
        AntiForensic.Merge(SplitHash, stripes.Bytes.AsSpan(0, AntiForensic.Stripes * KeyLength), key.Bytes);
        return key;
    }
}
