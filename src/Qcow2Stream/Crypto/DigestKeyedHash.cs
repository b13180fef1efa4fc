using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Macs;
using Org.BouncyCastle.Crypto.Parameters;

namespace Qcow2Stream.Crypto;

/// <summary>HMAC with a hash that the platform lacks, by BouncyCastle.</summary>
internal sealed class DigestKeyedHash : KeyedHash
{
    private readonly HMac _mac;

    /// <summary>Sets the key.</summary>
    public DigestKeyedHash(IDigest digest, ReadOnlySpan<byte> key)
    {
        _mac = new HMac(digest);
        _mac.Init(new KeyParameter(key));
    }

    /// <inheritdoc/>
    public override int Length => _mac.GetMacSize();

    /// <inheritdoc/>
    public override void Compute(ReadOnlySpan<byte> data, Span<byte> output)
    {
        _mac.BlockUpdate(data);
        _mac.DoFinal(output);
    }

    /// <summary>Another key takes the place of the one there was.</summary>
    public override void Dispose() => _mac.Init(new KeyParameter(new byte[Length]));
}
