using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Parameters;

namespace Qcow2Stream.Crypto;

/// <summary>The ciphers that no platform has, by BouncyCastle, in managed code.</summary>
internal sealed class EngineTransform : BlockTransform
{
    private readonly IBlockCipher _engine;

    /// <summary>Expands the key.</summary>
    public EngineTransform(BlockAlgorithm algorithm, Secret key, bool encrypt)
    {
        _engine = algorithm switch
        {
            BlockAlgorithm.Cast5 => new Cast5Engine(),
            BlockAlgorithm.Serpent => new SerpentEngine(),
            BlockAlgorithm.Twofish => new TwofishEngine(),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, null),
        };
        _engine.Init(encrypt, new KeyParameter(key.Bytes));
    }

    /// <inheritdoc/>
    public override void Apply(byte[] buffer, int length)
    {
        int blockLength = _engine.GetBlockSize();
        for (int at = 0; at < length; at += blockLength)
        {
            Span<byte> block = buffer.AsSpan(at, blockLength);
            _engine.ProcessBlock(block, block);
        }
    }

    /// <summary>Nothing to do: the engine offers no way to wipe its copy of the key.</summary>
    public override void Dispose()
    {
    }
}
