using System.Security.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Digests;

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

    // A second or so. What tools choose takes no longer, and the platform's own loop is several times as fast as one round by another.
    private const uint RoundsInOne = 4_000_000;

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
    /// <param name="passphrase">From which the key is derived.</param>
    /// <param name="salt">The salt.</param>
    /// <param name="iterations">The rounds for each block of the key; 1 or more.</param>
    /// <param name="key">Receives the key.</param>
    /// <param name="cancellationToken">Ends the derivation, unless it is a short one.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public void DeriveKey(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, uint iterations, Span<byte> key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool isInterruptible = cancellationToken.CanBeCanceled && iterations > RoundsInOne;
        if (_platformName is { } name && !isInterruptible && iterations <= int.MaxValue)
        {
            Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, key, (int)iterations, name);
            return;
        }

        // The platform's PBKDF2 can't be interrupted, counts to two billion only, and refuses the other hashes.
        using KeyedHash hash = _platformName is { } known ? new PlatformKeyedHash(known, passphrase) : new DigestKeyedHash(_create(), passphrase);
        Pbkdf2.Derive(hash, salt, iterations, key, cancellationToken);
    }
}
