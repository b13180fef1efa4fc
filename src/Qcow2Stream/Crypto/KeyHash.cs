using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace Qcow2Stream.Crypto;

/// <summary>One of the hashes that QEMU's LUKS driver knows.</summary>
internal sealed class KeyHash
{
    private static readonly KeyHash[] All =
    [
        new("md5", null, () => new MD5Digest()),
        new("sha1", HashAlgorithmName.SHA1, () => new Sha1Digest()),
        new("sha224", null, () => new Sha224Digest()),
        new("sha256", HashAlgorithmName.SHA256, () => new Sha256Digest()),
        new("sha384", HashAlgorithmName.SHA384, () => new Sha384Digest()),
        new("sha512", HashAlgorithmName.SHA512, () => new Sha512Digest()),
        new("ripemd160", null, () => new RipeMD160Digest()),
    ];

    private readonly HashAlgorithmName? _platformName;
    private readonly Func<IDigest> _create;

    private KeyHash(string name, HashAlgorithmName? platformName, Func<IDigest> create)
    {
        Name = name;
        _platformName = platformName;
        _create = create;
        DigestLength = create().GetDigestSize();
    }

    /// <summary>The name, as it is in headers.</summary>
    public string Name { get; }

    /// <summary>The length of a digest, in bytes.</summary>
    public int DigestLength { get; }

    /// <summary>Finds a hash by its name in a header.</summary>
    /// <exception cref="CryptoUnsupportedException">No such hash is known.</exception>
    public static KeyHash Find(string name) =>
        Array.Find(All, hash => hash.Name == name)
        ?? throw new CryptoUnsupportedException(
            $"hash {name}", $"hash {name} is not known; {string.Join(", ", All.Select(hash => hash.Name))} are");

    /// <summary>A digest to feed. Good for one thread at a time.</summary>
    public IDigest CreateDigest() => _create();

    /// <summary>PBKDF2 (RFC 8018) with this hash's HMAC; fills <paramref name="key"/>.</summary>
    public void DeriveKey(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, int iterations, Span<byte> key)
    {
        if (_platformName is { } name)
        {
            Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, key, iterations, name);
            return;
        }

        // The platform's PBKDF2 refuses these hashes.
        using var copy = Secret.CopyOf(passphrase);
        Pkcs5S2ParametersGenerator generator = new(_create());
        generator.Init(copy.Bytes, salt.ToArray(), iterations);
        var derived = (KeyParameter)generator.GenerateDerivedMacParameters(key.Length * 8);
        byte[] bytes = derived.GetKey();
        bytes.CopyTo(key);
        CryptographicOperations.ZeroMemory(bytes);
    }
}
