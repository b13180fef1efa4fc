namespace Qcow2Stream;

/// <summary>How an image is encrypted: the values of the header field crypt_method.</summary>
public enum Qcow2EncryptionMethod
{
    /// <summary>Not encrypted.</summary>
    None = 0,

    /// <summary>AES in CBC mode, by a key that is the passphrase itself.</summary>
    Aes = 1,

    /// <summary>LUKS, whose header lies in the image.</summary>
    Luks = 2,
}
