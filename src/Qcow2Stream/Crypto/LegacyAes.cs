namespace Qcow2Stream.Crypto;

/// <summary>Encryption method 1 of qcow2: AES-128 in CBC, the passphrase itself being the key.</summary>
internal static class LegacyAes
{
    private const int KeyLength = 16;

    /// <summary>
    /// A cipher for the passphrase, cut or padded with zeros to 16 bytes. Sectors are numbered as the guest does.
    /// Every passphrase is taken: this method has nothing to check it against.
    /// </summary>
    public static SectorCipher CreateCipher(ReadOnlySpan<byte> passphrase)
    {
        using Secret key = new(KeyLength);
        passphrase[..Math.Min(passphrase.Length, KeyLength)].CopyTo(key.Bytes);
        return new SectorCipher(CipherSpec.LegacyAes, key.Bytes);
    }
}
