namespace Qcow2Stream.Crypto.Luks;

/// <summary>PBKDF2.</summary>
internal sealed class Pbkdf2Derivation(KeyHash hash, uint iterations, ReadOnlyMemory<byte> salt) : KeyDerivation
{
    /// <inheritdoc/>
    /// <remarks>A key that is longer than a hash takes its rounds for each block of it.</remarks>
    public override Int128 Rounds(int keyLength) => (Int128)iterations * ((keyLength + hash.DigestLength - 1) / hash.DigestLength);

    /// <inheritdoc/>
    public override void Derive(ReadOnlySpan<byte> passphrase, Span<byte> key, CancellationToken cancellationToken) =>
        hash.DeriveKey(passphrase, salt.Span, iterations, key, cancellationToken);
}
