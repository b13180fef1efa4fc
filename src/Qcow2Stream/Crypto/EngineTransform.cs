using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Parameters;

namespace Qcow2Stream.Crypto;

/// <summary>The ciphers that no platform has, by BouncyCastle, in managed code.</summary>
internal sealed class EngineTransform : BlockTransform
{
    private readonly IBlockCipher _engine;
    private readonly int _keyLength;

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
        _keyLength = key.Bytes.Length;
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

    /// <summary>
    /// Another key takes the place of the one there was, in the engine and in its tables. Copies that BouncyCastle made on the way are out of
    /// reach: they are gone once the garbage collector has used their memory again.
    /// </summary>
    public override void Dispose() => _engine.Init(forEncryption: true, new KeyParameter(new byte[_keyLength]));
}
