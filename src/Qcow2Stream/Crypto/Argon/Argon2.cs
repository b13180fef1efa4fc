using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Org.BouncyCastle.Crypto.Digests;

namespace Qcow2Stream.Crypto.Argon;

/// <summary>
/// Argon2, version 0x13 (RFC 9106), without secret and associated data. It is computed here because BouncyCastle's takes its memory from the
/// garbage collector's heap, uses one processor, can't be cancelled, and takes three times as long.
/// </summary>
internal static class Argon2
{
    private const uint Version = 0x13;
    private const int SeedLength = 64;

    // Of the digest that H' is made of, and half of it, which is what each but the last gives to the output.
    private const int DigestLength = 64;
    private const int PartLength = 32;

    /// <summary>Derives a key.</summary>
    /// <param name="parameters">What it takes; the caller has judged that.</param>
    /// <param name="passphrase">From which the key is derived.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="key">Receives the key; 4 bytes or more.</param>
    /// <param name="cancellationToken">Looked at every few milliseconds.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="OutOfMemoryException">The system does not give the memory.</exception>
    public static unsafe void Derive(
        Argon2Parameters parameters, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, Span<byte> key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        nuint length = checked((nuint)parameters.MemoryBytes);
        void* memory = NativeMemory.AlignedAlloc(length, Argon2Block.Alignment);
        try
        {
            Argon2Filler filler = new(parameters, (Argon2Block*)memory);
            Begin(parameters, passphrase, salt, key.Length, filler);
            filler.Fill(cancellationToken);

            Argon2Block last = filler.CombinedLastColumn();
            Hash(last.Bytes, key);
            last.Bytes.Clear();
        }
        finally
        {
            // Whoever reads the memory afterwards could tell a passphrase's guess from it without filling it.
            NativeMemory.Clear(memory, length);
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>The first two blocks of each lane, from everything that was given.</summary>
    private static void Begin(
        Argon2Parameters parameters, ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, int keyLength, Argon2Filler filler)
    {
        const int LaneSeedLength = SeedLength + (2 * sizeof(uint));
        using Secret seed = new(LaneSeedLength);
        Blake2bDigest digest = new(SeedLength * 8);
        Add(digest, parameters.Lanes);
        Add(digest, (uint)keyLength);
        Add(digest, parameters.MemoryKiB);
        Add(digest, parameters.Passes);
        Add(digest, Version);
        Add(digest, (uint)parameters.Kind);
        Add(digest, (uint)passphrase.Length);
        digest.BlockUpdate(passphrase);
        Add(digest, (uint)salt.Length);
        digest.BlockUpdate(salt);

        // No secret, no associated data.
        Add(digest, 0);
        Add(digest, 0);
        digest.DoFinal(seed.Bytes.AsSpan(0, SeedLength));

        for (uint lane = 0; lane < parameters.Lanes; lane++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(seed.Bytes.AsSpan(SeedLength + sizeof(uint)), lane);
            for (uint column = 0; column < 2; column++)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(seed.Bytes.AsSpan(SeedLength), column);
                Hash(seed.Bytes, filler.BlockAt(lane, column).Bytes);
                filler.BlockAt(lane, column).SwapIfBigEndian();
            }
        }
    }

    /// <summary>H', a hash of any length (RFC 9106, section 3.3).</summary>
    private static void Hash(ReadOnlySpan<byte> input, Span<byte> output)
    {
        Blake2bDigest first = new(Math.Min(output.Length, DigestLength) * 8);
        Add(first, (uint)output.Length);
        first.BlockUpdate(input);
        if (output.Length <= DigestLength)
        {
            first.DoFinal(output);
            return;
        }

        using Secret part = new(DigestLength);
        first.DoFinal(part.Bytes);
        Blake2bDigest next = new(DigestLength * 8);
        while (true)
        {
            part.Bytes.AsSpan(0, PartLength).CopyTo(output);
            output = output[PartLength..];
            if (output.Length <= DigestLength)
            {
                break;
            }

            next.BlockUpdate(part.Bytes);
            next.DoFinal(part.Bytes);
        }

        Blake2bDigest last = new(output.Length * 8);
        last.BlockUpdate(part.Bytes);
        last.DoFinal(output);
    }

    private static void Add(Blake2bDigest digest, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        digest.BlockUpdate(bytes);
    }
}
