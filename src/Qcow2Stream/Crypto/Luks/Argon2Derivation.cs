using Qcow2Stream.Crypto.Argon;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>Argon2.</summary>
internal sealed class Argon2Derivation(Argon2Parameters parameters, ReadOnlyMemory<byte> salt) : KeyDerivation
{
    /// <inheritdoc/>
    public override long MemoryBytes => parameters.MemoryBytes;

    /// <inheritdoc/>
    /// <remarks>
    /// A block of 1 KiB counts as one round: it takes a microsecond and a half, and a round of PBKDF2 a third of one, but most lanes are filled side by side.
    /// </remarks>
    public override Int128 Rounds(int keyLength) => parameters.Blocks;

    /// <inheritdoc/>
    public override void Derive(ReadOnlySpan<byte> passphrase, Span<byte> key, CancellationToken cancellationToken) =>
        Argon2.Derive(parameters, passphrase, salt.Span, key, cancellationToken);
}
