namespace Qcow2Stream;

/// <summary>An encrypted image whose passphrase is asked for.</summary>
public readonly record struct EncryptedImage
{
    /// <summary>The image, as it was opened; null for a stream without a name.</summary>
    public string? ImagePath { get; init; }

    /// <summary>How it is encrypted.</summary>
    public required Qcow2EncryptionMethod Method { get; init; }

    /// <summary>The LUKS volume's id; null for AES. It is untrusted text.</summary>
    public string? Uuid { get; init; }
}
