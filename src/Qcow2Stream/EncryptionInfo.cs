namespace Qcow2Stream;

/// <summary>How an image is encrypted: what can be known without its key. Immutable.</summary>
/// <param name="Method">1 for AES, 2 for LUKS (header field crypt_method).</param>
/// <param name="Luks">What the LUKS header says; null for method 1.</param>
public sealed record EncryptionInfo(int Method, LuksInfo? Luks);
