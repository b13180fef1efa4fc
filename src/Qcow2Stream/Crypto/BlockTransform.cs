namespace Qcow2Stream.Crypto;

/// <summary>A block cipher under one key in one direction, block by block. Safe for one thread at a time.</summary>
internal abstract class BlockTransform : IDisposable
{
    /// <summary>A transform that encrypts.</summary>
    public static BlockTransform Encryptor(BlockAlgorithm algorithm, Secret key) => Create(algorithm, key, encrypt: true);

    /// <summary>A transform that decrypts.</summary>
    public static BlockTransform Decryptor(BlockAlgorithm algorithm, Secret key) => Create(algorithm, key, encrypt: false);

    /// <summary>
    /// Transforms the first <paramref name="length"/> bytes of <paramref name="buffer"/>, a multiple of the block's
    /// length, in place.
    /// </summary>
    public abstract void Apply(byte[] buffer, int length);

    /// <summary>Lets go of the key.</summary>
    public abstract void Dispose();

    private static BlockTransform Create(BlockAlgorithm algorithm, Secret key, bool encrypt) =>
        algorithm == BlockAlgorithm.Aes ? new AesTransform(key, encrypt) : new EngineTransform(algorithm, key, encrypt);
}
