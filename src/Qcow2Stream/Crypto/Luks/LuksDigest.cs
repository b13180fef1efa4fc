using System.Security.Cryptography;

namespace Qcow2Stream.Crypto.Luks;

/// <summary>What shows whether a volume's key is the right one.</summary>
/// <param name="derivation">How it is made of the key.</param>
/// <param name="digest">What it must be.</param>
internal sealed class LuksDigest(Pbkdf2Derivation derivation, ReadOnlyMemory<byte> digest)
{
    /// <summary>The rounds of PBKDF2 that a comparison takes.</summary>
    public Int128 Rounds => derivation.Rounds(digest.Length);

    /// <summary>Whether the key is the right one.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public bool Matches(Secret key, CancellationToken cancellationToken)
    {
        byte[] actual = new byte[digest.Length];
        derivation.Derive(key.Bytes, actual, cancellationToken);
        return CryptographicOperations.FixedTimeEquals(actual, digest.Span);
    }
}
