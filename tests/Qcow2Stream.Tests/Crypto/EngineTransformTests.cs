using Qcow2Stream.Crypto;

namespace Qcow2Stream.Tests.Crypto;

public sealed class EngineTransformTests
{
    /// <summary>What an engine of BouncyCastle does after it was let go of shows what it still holds.</summary>
    [Theory]
    [InlineData("Serpent", 16)]
    [InlineData("Serpent", 32)]
    [InlineData("Twofish", 32)]
    [InlineData("Cast5", 16)]
    public void Disposed_HoldsNoKey(string algorithm, int keyLength)
    {
        BlockAlgorithm which = Enum.Parse<BlockAlgorithm>(algorithm);
        using Secret key = new(keyLength);
        Random.Shared.NextBytes(key.Bytes);
        using Secret zeros = new(keyLength);
        byte[] expected = Encrypt(BlockTransform.Encryptor(which, zeros));
        foreach (BlockTransform transform in new[] { BlockTransform.Encryptor(which, key), BlockTransform.Decryptor(which, key) })
        {
            Assert.NotEqual(expected, Encrypt(transform));
            transform.Dispose();
            Assert.Equal(expected, Encrypt(transform));
        }
    }

    private static byte[] Encrypt(BlockTransform transform)
    {
        byte[] block = new byte[16];
        transform.Apply(block, block.Length);
        return block;
    }
}
