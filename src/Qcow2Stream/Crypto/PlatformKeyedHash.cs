using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>HMAC by the platform.</summary>
internal sealed class PlatformKeyedHash(HashAlgorithmName name, ReadOnlySpan<byte> key) : KeyedHash
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHMAC(name, key);

    /// <inheritdoc/>
    public override int Length => _hash.HashLengthInBytes;

    /// <inheritdoc/>
    public override void Compute(ReadOnlySpan<byte> data, Span<byte> output)
    {
        _hash.AppendData(data);
        _hash.GetHashAndReset(output);
    }

    /// <inheritdoc/>
    public override void Dispose() => _hash.Dispose();
}
