namespace Qcow2Stream;

/// <summary>An encrypted image whose passphrase is asked for.</summary>
/// <param name="ImagePath">The image, as it was opened; null for a stream without a name.</param>
/// <param name="Method">1 for AES, 2 for LUKS (header field crypt_method).</param>
/// <param name="Uuid">The LUKS volume's id; null for AES. It is untrusted text.</param>
public readonly record struct EncryptedImage(string? ImagePath, int Method, string? Uuid);
