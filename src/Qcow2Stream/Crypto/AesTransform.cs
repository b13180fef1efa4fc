using System.Security.Cryptography;

namespace Qcow2Stream.Crypto;

/// <summary>AES by the platform, which uses the processor's instructions for it.</summary>
internal sealed class AesTransform : BlockTransform
{
    private readonly ICryptoTransform _transform;

    /// <summary>Expands the key. A transform is kept because the one-shot methods expand it at every call.</summary>
    public AesTransform(Secret key, bool encrypt)
    {
        using var aes = Aes.Create();
        aes.Mode = CipherMode.ECB;
        aes.Padding = PaddingMode.None;
        _transform = encrypt ? aes.CreateEncryptor(key.Bytes, null) : aes.CreateDecryptor(key.Bytes, null);
    }

    /// <inheritdoc/>
    public override void Apply(byte[] buffer, int length)
    {
        if (length != 0)
        {
            _transform.TransformBlock(buffer, 0, length, buffer, 0);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _transform.Dispose();
}
