using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>PBKDF2 (RFC 8018, section 5.2) that can be interrupted.</summary>
internal static class Pbkdf2
{
    // Some milliseconds.
    private const uint RoundsBetweenLooks = 1 << 14;

    /// <summary>Fills <paramref name="key"/>, one block after another.</summary>
    /// <param name="hash">HMAC under the passphrase.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="iterations">The rounds for each block; 1 or more.</param>
    /// <param name="key">Receives the key.</param>
    /// <param name="cancellationToken">Ends the derivation.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public static void Derive(KeyedHash hash, ReadOnlySpan<byte> salt, uint iterations, Span<byte> key, CancellationToken cancellationToken)
    {
        using Secret round = new(hash.Length);
        using Secret block = new(hash.Length);
        byte[] numbered = new byte[salt.Length + sizeof(uint)];
        salt.CopyTo(numbered);
        for (uint number = 1; !key.IsEmpty; number++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(numbered.AsSpan(salt.Length), number);
            hash.Compute(numbered, round.Bytes);
            round.Bytes.CopyTo(block.Bytes, 0);
            for (uint i = 1; i < iterations; i++)
            {
                if (i % RoundsBetweenLooks == 0 && cancellationToken.IsCancellationRequested)
                {
                    CryptographicOperations.ZeroMemory(key);
                    cancellationToken.ThrowIfCancellationRequested();
                }

                hash.Compute(round.Bytes, round.Bytes);
                Bytes.Xor(block.Bytes, round.Bytes, block.Bytes);
            }

            int length = Math.Min(key.Length, block.Bytes.Length);
            block.Bytes.AsSpan(0, length).CopyTo(key);
            key = key[length..];
        }
    }
}
